// Signed tokens (JWS compact serialisation, RFC 7515; JWT, RFC 7519).
//
// A token is read, then its signature verified, then its claims are looked at, in that order and
// with nothing believed before. The algorithm is what the key's type allows: a token can neither
// ask for none, nor for a symmetric one over public bytes, nor bring a key of its own (jwk, jku,
// x5c, x5u are not looked at; `crit` is refused).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "auth/key_set.hpp"

namespace weir::auth {

struct Token {
  std::string algorithm;  // `alg`
  std::string key_id;     // `kid`; empty: not said
  nlohmann::json claims;  // an object; not to be believed before verify()
  std::string signed_text;
  std::string signature;

  static constexpr std::size_t chars_max = 16 * 1024;
  // Nothing where it is no such token.
  [[nodiscard]] static std::optional<Token> parse(std::string_view text);
};

// Whether one of the keys has signed it: those of the token's key id, or any where it names none.
[[nodiscard]] bool verify(const Token& token, const KeySet& keys);

}  // namespace weir::auth
