// What an identity provider does, for tests: keys, their JSON, and tokens signed with them.
#pragma once

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <string>
#include <string_view>

#include "auth/base64url.hpp"
#include "auth/key_set.hpp"

namespace weir::auth::test {

inline std::string bytes_of(EVP_PKEY& key, const char* parameter, std::size_t size = 0) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(&key, parameter, &number);
  if (size == 0) size = static_cast<std::size_t>(BN_num_bytes(number));
  std::string out(size, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(size));
  BN_free(number);
  return out;
}

inline KeyPtr rsa_key(unsigned bits = 2048) { return KeyPtr(EVP_RSA_gen(bits)); }
inline KeyPtr curve_key(const char* curve) { return KeyPtr(EVP_EC_gen(curve)); }

// `more`: further members, each with its comma in front.
inline std::string rsa_json(EVP_PKEY& key, std::string_view id, std::string_view more = {}) {
  return R"({"kty":"RSA","kid":")" + std::string(id) + R"(","n":")" +
         base64url_encode(bytes_of(key, OSSL_PKEY_PARAM_RSA_N)) + R"(","e":")" +
         base64url_encode(bytes_of(key, OSSL_PKEY_PARAM_RSA_E)) + '"' + std::string(more) + "}";
}

inline std::string curve_json(EVP_PKEY& key, std::string_view id, std::string_view curve,
                              std::size_t size) {
  return R"({"kty":"EC","kid":")" + std::string(id) + R"(","crv":")" + std::string(curve) +
         R"(","x":")" + base64url_encode(bytes_of(key, OSSL_PKEY_PARAM_EC_PUB_X, size)) +
         R"(","y":")" + base64url_encode(bytes_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, size)) + "\"}";
}

inline std::string set_of(std::string_view keys) {
  return R"({"keys":[)" + std::string(keys) + "]}";
}

inline std::string unsigned_token(std::string_view header, std::string_view claims) {
  return base64url_encode(header) + "." + base64url_encode(claims);
}

inline std::string sign(EVP_PKEY& key, std::string_view text, const EVP_MD* digest,
                        bool is_pss = false) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* padding = nullptr;
  EVP_DigestSignInit(context, &padding, digest, nullptr, &key);
  if (is_pss) {
    EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t size = 1024;
  std::string out(size, '\0');
  EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                 reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MD_CTX_free(context);
  out.resize(size);
  return out;
}

// The two numbers of a signature over a curve, one after the other.
inline std::string numbers_of(std::string_view der, int size) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string out(2 * static_cast<std::size_t>(size), '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), to, size);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), to + size, size);
  ECDSA_SIG_free(signature);
  return out;
}

inline std::string rs256(EVP_PKEY& key, std::string_view header, std::string_view claims) {
  const std::string text = unsigned_token(header, claims);
  return text + "." + base64url_encode(sign(key, text, EVP_sha256()));
}

}  // namespace weir::auth::test
