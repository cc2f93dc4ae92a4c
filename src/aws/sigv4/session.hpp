// Temporary credentials, which nobody has to remember: all that is to be known about them is in
// their session token, under a digest keyed by the secret of the lasting key that they were got
// with. They end with their time, or with that key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::aws {

struct Session {
  std::string parent_key_id;  // the lasting key
  std::string access_key_id;  // ASIA…
  std::int64_t expires_at_ms = 0;
  std::string user_id;  // AROA…:session
  std::string arn;      // arn:aws:sts::123456789012:assumed-role/ROLE/SESSION
};

struct TemporaryCredentials {
  std::string access_key_id;
  std::string secret;
  std::string session_token;
};

[[nodiscard]] TemporaryCredentials issue(const Session& session, std::string_view parent_secret);

// What a token says, before it is known to be ours; nullopt: it is none.
[[nodiscard]] std::optional<Session> read_session_token(std::string_view token);

// Whether the token was issued with this secret, and unchanged since.
[[nodiscard]] bool is_authentic(std::string_view token, std::string_view parent_secret);

// The secret of the credentials that the token belongs to.
[[nodiscard]] std::string secret_of(std::string_view token, std::string_view parent_secret);

}  // namespace weir::aws
