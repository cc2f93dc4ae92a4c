// A login by OpenID Connect (reference §3.3 authenticate-oidc), as functions of what each step
// brings: the way to the provider, the way back, the provider's answers, and what a target is told.
// Who asks and who waits is not seen here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "auth/key_set.hpp"
#include "auth/sealed_text.hpp"
#include "base/result.hpp"
#include "model/resources.hpp"

namespace weir::auth {

inline constexpr std::string_view callback_path = "/oauth2/idpresponse";
inline constexpr std::string_view nonce_cookie = "AWSALBAuthNonce";
inline constexpr std::int64_t login_seconds_max = 15 * 60;
inline constexpr std::size_t session_bytes_max = 11 * 1024;  // tokens and claims

// A login under way, which travels through the provider as `state`. The nonce lies in a cookie of
// the browser that began it, and in no other.
struct Login {
  std::string nonce;
  std::string return_to;      // URL of the request that asked for it
  std::int64_t begun_at = 0;  // Unix seconds
};
[[nodiscard]] std::string random_nonce();  // 128 bits
[[nodiscard]] std::string state_of(const Login& login, std::string_view scope,
                                   std::span<const SealingKey> keys);
// Nothing where the state is none of ours, of another browser, or older than a login may take.
[[nodiscard]] std::optional<Login> login_of(std::string_view state, std::string_view scope,
                                            std::string_view nonce, std::int64_t unix_seconds,
                                            std::span<const SealingKey> keys);

// `redirect_uri`: the callback on the load balancer's own host.
[[nodiscard]] std::string authorization_url(const model::OidcAction& action,
                                            std::string_view redirect_uri, std::string_view state);

// The query's value of this name, decoded; nothing where it is not there, comes twice or is
// malformed.
[[nodiscard]] std::optional<std::string> query_value(std::string_view query, std::string_view name);

// Forms for the token endpoint. They hold the client's secret.
[[nodiscard]] std::string code_form(const model::OidcAction& action, std::string_view code,
                                    std::string_view redirect_uri);
[[nodiscard]] std::string refresh_form(const model::OidcAction& action,
                                       std::string_view refresh_token);

struct Session {
  std::string subject;
  std::string access_token;
  std::string refresh_token;        // empty: none was given
  std::string claims;               // the user's, a JSON object
  std::int64_t access_ends_at = 0;  // Unix seconds
  std::int64_t ends_at = 0;
};

// The token endpoint's answer to a code: a session without claims. The identity token came from the
// provider itself over verified TLS, which stands for its signature (OpenID Connect Core §3.1.3.7);
// issuer, audience, subject and time are looked at. Errors: "AuthInvalidTokenResponse",
// "AuthInvalidIdToken".
[[nodiscard]] Result<Session> session_from_tokens(std::string_view answer,
                                                  const model::OidcAction& action,
                                                  std::int64_t unix_seconds);
// The answer to a refresh token: `session` with new tokens. Error: "AuthInvalidTokenResponse".
[[nodiscard]] Result<Session> refreshed(Session session, std::string_view answer,
                                        std::int64_t unix_seconds);
// The user info endpoint's answer: `session` with claims, which must be of the same subject.
// Errors: "AuthInvalidUserinfoResponse", "AuthUserinfoResponseSizeExceeded".
[[nodiscard]] Result<Session> with_claims(Session session, std::string_view answer);

// As a session cookie's sealed text has it.
[[nodiscard]] std::string text_of(const Session& session);
[[nodiscard]] std::optional<Session> session_of(std::string_view text);

// What x-amzn-oidc-data says besides the claims.
struct Signer {
  std::string_view arn;  // of the load balancer
  std::string_view key_id;
  EVP_PKEY& key;  // P-256
};
// The claims as a token signed with ES256, in base64url with padding, as AWS's.
[[nodiscard]] std::string signed_claims(const Session& session, const model::OidcAction& action,
                                        const Signer& signer);

}  // namespace weir::auth
