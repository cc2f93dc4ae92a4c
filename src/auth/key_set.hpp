// JSON Web Key Sets (RFC 7517, 7518): the public keys that a provider signs its tokens with.
//
// Keys that cannot verify what is taken here (symmetric ones, other curves, encryption keys, RSA
// below 2048 bits) are left out; nothing of a token can name a key that is not in the set.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::auth {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

struct Key {
  enum class Type { rsa, p256, p384 } type = Type::rsa;
  std::string id;         // `kid`; may be empty
  std::string algorithm;  // `alg`; empty: any of its type
  KeyPtr key;
};

class KeySet {
 public:
  static constexpr std::size_t bytes_max = 150 * 1024;
  static constexpr std::size_t keys_max = 10;

  // Errors: "JWKSResponseSizeExceeded" (bytes or keys), "JWKSResponseInvalid".
  [[nodiscard]] static Result<KeySet> parse(std::string_view text);
  [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }
  [[nodiscard]] bool has(std::string_view id) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace weir::auth
