#include "aws/sigv4/session.hpp"

#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "aws/sigv4/digest.hpp"
#include "model/base64.hpp"

namespace weir::aws {
namespace {

constexpr std::size_t tag_bytes = 32;
constexpr std::size_t token_length_max = 4'096;
constexpr std::size_t secret_bytes = 30;  // 40 signs of base64, as AWS's have
constexpr std::string_view format = "weir1";

// The digests of the tag and of the secret differ in what precedes the payload.
std::string tag_of(std::string_view payload, std::string_view secret) {
  return hmac_sha256(secret, fmt::format("token\n{}", payload));
}

// Payload and tag; nullopt where the token is too short or too long.
std::optional<std::pair<std::string, std::string>> open(std::string_view token) {
  if (token.size() > token_length_max) return std::nullopt;
  const auto bytes = model::base64_decode(token);
  if (!bytes || bytes->size() < tag_bytes) return std::nullopt;
  return std::pair(bytes->substr(tag_bytes), bytes->substr(0, tag_bytes));
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (;;) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

TemporaryCredentials issue(const Session& session, std::string_view parent_secret) {
  const auto payload =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", format, session.parent_key_id, session.access_key_id,
                  session.expires_at_ms, session.user_id, session.arn);
  auto token = model::base64_encode(tag_of(payload, parent_secret) + payload);
  auto secret = secret_of(token, parent_secret);
  return {session.access_key_id, std::move(secret), std::move(token)};
}

std::optional<Session> read_session_token(std::string_view token) {
  const auto opened = open(token);
  if (!opened) return std::nullopt;
  const auto lines = lines_of(opened->first);
  if (lines.size() != 6 || lines[0] != format) return std::nullopt;
  Session session{lines[1], lines[2], 0, lines[4], lines[5]};
  const auto* end = lines[3].data() + lines[3].size();
  const auto parsed = std::from_chars(lines[3].data(), end, session.expires_at_ms);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return session;
}

bool is_authentic(std::string_view token, std::string_view parent_secret) {
  const auto opened = open(token);
  return opened && equal_in_constant_time(tag_of(opened->first, parent_secret), opened->second);
}

std::string secret_of(std::string_view token, std::string_view parent_secret) {
  const auto opened = open(token);
  const auto payload = opened ? opened->first : std::string();
  const auto digest = hmac_sha256(parent_secret, fmt::format("secret\n{}", payload));
  return model::base64_encode(digest.substr(0, secret_bytes));
}

}  // namespace weir::aws
