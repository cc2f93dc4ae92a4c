// A login's inputs of hostile bytes: the way back's query, states, session cookies and providers'
// answers. Nothing opens that was not sealed, and what is read as a session can be written again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "auth/oidc.hpp"

namespace {

namespace auth = weir::auth;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_cookies(std::string_view text, const std::vector<auth::SealingKey>& keys) {
  weir::http::RequestHead head;
  head.headers.push_back({"Cookie", text, weir::http::HeaderId::cookie});
  const std::string value = auth::value_of_shards(head, "S");
  require(value.size() <= text.size());
  require(!auth::open(value, {"session", "a"}, keys));
  require(!auth::open(text, {"session", "a"}, keys));
  if (const auto shards = auth::shards_of(text, "S")) {
    std::string joined;
    for (const std::string& shard : *shards) joined += shard;
    require(joined == text);
  }
}

void check(std::string_view text) {
  const std::vector<auth::SealingKey> keys = {{1, {1, 2, 3}}};
  check_cookies(text, keys);
  require(!auth::login_of(text, "a", "nonce", 0, keys));
  static_cast<void>(auth::query_value(text, "code"));
  weir::model::OidcAction action;
  action.issuer = "joe";
  action.client_id = "client";
  if (const auto session = auth::session_from_tokens(text, action, 1'300'819'000))
    require(!session->subject.empty() && !session->access_token.empty());
  auth::Session session{"user", "access", {}, {}, 1, 2};
  if (const auto told = auth::with_claims(session, text))
    require(auth::session_of(auth::text_of(*told)).has_value());
  if (const auto read = auth::session_of(text))
    require(auth::session_of(auth::text_of(*read)).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({reinterpret_cast<const char*>(data), size});
  return 0;
}
