// Tokens and key sets of hostile bytes: nothing that a key in hand has not signed is verified, and
// what base64url reads it writes the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/base64url.hpp"
#include "auth/claims.hpp"
#include "auth/token.hpp"

namespace {

using weir::auth::KeySet;
using weir::auth::Token;

void require(bool holds) {
  if (!holds) std::abort();
}

// The key of RFC 7515 A.3, whose private half signs nothing here.
const KeySet& known_keys() {
  static const auto keys = KeySet::parse(
      R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
      R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
  return *keys;
}

void check(std::string_view text) {
  if (const auto bytes = weir::auth::base64url_decode(text))
    require(weir::auth::base64url_encode(*bytes) == text);
  const auto keys = KeySet::parse(text);
  if (keys) require(keys->keys().size() <= KeySet::keys_max);
  const auto token = Token::parse(text);
  if (!token) return;
  require(token->claims.is_object());
  static_cast<void>(weir::auth::fault_of_claims(token->claims, {{}, "joe", {}}, 1'300'819'000));
  // Only the standard's own example is signed by this key.
  if (verify(*token, known_keys())) require(token->claims["iss"] == "joe");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({reinterpret_cast<const char*>(data), size});
  return 0;
}
