#include "auth/key_set.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <optional>

#include "auth/base64url.hpp"
#include "auth/json_object.hpp"

namespace weir::auth {
namespace {

using nlohmann::json;

constexpr std::size_t rsa_bytes_min = 2048 / 8;
constexpr std::size_t rsa_bytes_max = 4096 / 8;
constexpr std::size_t exponent_bytes_max = 4;  // more only makes verifying slow

struct Free {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* params) const { OSSL_PARAM_free(params); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

std::optional<std::string> bytes_member(const json& object, std::string_view name) {
  const auto text = text_member(object, name);
  return text ? base64url_decode(*text) : std::nullopt;
}

// nullptr: OpenSSL finds fault with the key, e.g. a point that is not on its curve.
KeyPtr public_key(const char* type, OSSL_PARAM_BLD& builder) {
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(&builder));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  KeyPtr key(made);
  const Owned<EVP_PKEY_CTX> check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  return check && EVP_PKEY_public_check(check.get()) == 1 ? std::move(key) : nullptr;
}

Owned<BIGNUM> number_of(const std::string& bytes) {
  return Owned<BIGNUM>(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                 static_cast<int>(bytes.size()), nullptr));
}

KeyPtr rsa_key(const json& object) {
  const auto modulus = bytes_member(object, "n");
  const auto exponent = bytes_member(object, "e");
  if (!modulus || !exponent || modulus->size() < rsa_bytes_min || modulus->size() > rsa_bytes_max ||
      modulus->front() == 0 || exponent->empty() || exponent->size() > exponent_bytes_max)
    return nullptr;
  const auto n = number_of(*modulus);
  const auto e = number_of(*exponent);
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  KeyPtr key = public_key("RSA", *builder);
  return key && EVP_PKEY_get_bits(key.get()) >= 2048 ? std::move(key) : nullptr;
}

KeyPtr curve_key(const json& object, const char* group, std::size_t coordinate_bytes) {
  const auto x = bytes_member(object, "x");
  const auto y = bytes_member(object, "y");
  if (!x || !y || x->size() != coordinate_bytes || y->size() != coordinate_bytes) return nullptr;
  const std::string point = '\x04' + *x + *y;  // uncompressed
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1)
    return nullptr;
  return public_key("EC", *builder);
}

std::optional<Key> key_of(const json& object) {
  if (!object.is_object()) return std::nullopt;
  if (const auto use = text_member(object, "use"); use && *use != "sig") return std::nullopt;
  Key out;
  out.id = text_member(object, "kid").value_or("");
  out.algorithm = text_member(object, "alg").value_or("");
  const std::string type = text_member(object, "kty").value_or("");
  const std::string curve = text_member(object, "crv").value_or("");
  if (type == "RSA") {
    out.key = rsa_key(object);
  } else if (type == "EC" && curve == "P-256") {
    out.type = Key::Type::p256;
    out.key = curve_key(object, "P-256", 32);
  } else if (type == "EC" && curve == "P-384") {
    out.type = Key::Type::p384;
    out.key = curve_key(object, "P-384", 48);
  }
  if (!out.key) return std::nullopt;
  return out;
}

}  // namespace

Result<KeySet> KeySet::parse(std::string_view text) {
  if (text.size() > bytes_max)
    return fail("JWKSResponseSizeExceeded", "the key set is larger than 150 KB");
  const auto object = parse_object(text);
  if (!object) return fail("JWKSResponseInvalid", "the key set is no JSON object");
  const auto keys = object->find("keys");
  if (keys == object->end() || !keys->is_array())
    return fail("JWKSResponseInvalid", "the key set has no list 'keys'");
  if (keys->size() > keys_max)
    return fail("JWKSResponseSizeExceeded", "the key set has more than 10 keys");
  KeySet out;
  for (const json& each : *keys) {
    if (auto key = key_of(each)) out.keys_.push_back(std::move(*key));
  }
  return out;
}

bool KeySet::has(std::string_view id) const {
  return std::ranges::any_of(keys_, [id](const Key& key) { return key.id == id; });
}

}  // namespace weir::auth
