#include "auth/token.hpp"

#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include <array>

#include "auth/base64url.hpp"
#include "auth/json_object.hpp"

namespace weir::auth {
namespace {

struct Algorithm {
  std::string_view name;
  Key::Type type;
  const EVP_MD* (*digest)();
  bool is_pss;
};

constexpr std::array<Algorithm, 8> algorithms = {{
    {"RS256", Key::Type::rsa, EVP_sha256, false},
    {"RS384", Key::Type::rsa, EVP_sha384, false},
    {"RS512", Key::Type::rsa, EVP_sha512, false},
    {"PS256", Key::Type::rsa, EVP_sha256, true},
    {"PS384", Key::Type::rsa, EVP_sha384, true},
    {"PS512", Key::Type::rsa, EVP_sha512, true},
    {"ES256", Key::Type::p256, EVP_sha256, false},
    {"ES384", Key::Type::p384, EVP_sha384, false},
}};

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// JWS has both numbers one after the other, OpenSSL wants them in DER. Empty: not that size.
std::string der_of(std::string_view signature, std::size_t number_bytes) {
  if (signature.size() != 2 * number_bytes) return {};
  const std::unique_ptr<ECDSA_SIG, Free> both(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(signature), static_cast<int>(number_bytes), nullptr);
  BIGNUM* s =
      BN_bin2bn(bytes_of(signature.substr(number_bytes)), static_cast<int>(number_bytes), nullptr);
  if (!both || r == nullptr || s == nullptr || ECDSA_SIG_set0(both.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(both.get(), &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

bool is_signed_by(const Token& token, const Algorithm& algorithm, const Key& key) {
  std::string signature = token.signature;
  if (key.type != Key::Type::rsa)
    signature = der_of(signature, key.type == Key::Type::p256 ? 32 : 48);
  if (signature.empty()) return false;
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;  // the context's
  if (!context || EVP_DigestVerifyInit(context.get(), &padding, algorithm.digest(), nullptr,
                                       key.key.get()) != 1)
    return false;
  if (algorithm.is_pss && (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) != 1 ||
                           EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) != 1))
    return false;
  return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                          bytes_of(token.signed_text), token.signed_text.size()) == 1;
}

}  // namespace

std::optional<Token> Token::parse(std::string_view text) {
  if (text.size() > chars_max) return std::nullopt;
  const std::size_t first = text.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto header_text = base64url_decode(text.substr(0, first));
  const auto claims_text = base64url_decode(text.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(text.substr(second + 1));  // a third dot is no digit
  if (!header_text || !claims_text || !signature || signature->empty()) return std::nullopt;
  const auto header = parse_object(*header_text);
  auto claims = parse_object(*claims_text);
  if (!header || !claims || header->contains("crit")) return std::nullopt;
  auto algorithm = text_member(*header, "alg");
  if (!algorithm || (header->contains("kid") && !text_member(*header, "kid"))) return std::nullopt;
  return Token{std::move(*algorithm), text_member(*header, "kid").value_or(""), std::move(*claims),
               std::string(text.substr(0, second)), std::move(*signature)};
}

bool verify(const Token& token, const KeySet& keys) {
  for (const Algorithm& algorithm : algorithms) {
    if (algorithm.name != token.algorithm) continue;
    for (const Key& key : keys.keys()) {
      if (key.type != algorithm.type || (!token.key_id.empty() && key.id != token.key_id) ||
          (!key.algorithm.empty() && key.algorithm != token.algorithm))
        continue;
      if (is_signed_by(token, algorithm, key)) return true;
    }
  }
  return false;
}

}  // namespace weir::auth
