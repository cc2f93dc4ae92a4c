#include "aws/sigv4/access.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/scalar.hpp"
#include "aws/sigv4/digest.hpp"
#include "aws/sigv4/signature.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"

namespace weir::aws {
namespace {

constexpr std::int64_t skew_ms_max = 15 * 60 * 1'000;

std::unexpected<Error> invalid_token() {
  return fail("InvalidClientTokenId", "The security token included in the request is invalid.");
}

// 20261124T200512Z
std::string basic_time(std::int64_t ms) {
  auto text = iso8601(ms).substr(0, 19);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

std::optional<std::int64_t> parse_basic_time(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  const auto time = parse_timestamp(
      fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2),
                  text.substr(9, 2), text.substr(11, 2), text.substr(13, 2)));
  return time ? std::optional(time->ms) : std::nullopt;
}

bool is_signed(const Authorization& authorization, const std::string& name) {
  return std::ranges::binary_search(authorization.signed_headers, name);
}

// What says what is to be done must be signed: else it could be changed on the way.
Status check_coverage(const HttpRequest& request, const Authorization& authorization) {
  for (const auto& [name, value] : request.headers) {
    if (name.starts_with("x-amz-") && !is_signed(authorization, name)) {
      return fail(
          "SignatureDoesNotMatch",
          fmt::format("There were headers present in the request which were not signed: {}", name));
    }
  }
  const auto* digest = request.header("x-amz-content-sha256");
  if (digest != nullptr && digest->size() != 64) {  // UNSIGNED-PAYLOAD, STREAMING-…
    return fail("SignatureDoesNotMatch",
                "The body must be signed: x-amz-content-sha256 may only hold its SHA-256 digest");
  }
  return {};
}

}  // namespace

Access::Access(AccessOptions options) : options_(std::move(options)), own_secret_(random_hex(64)) {
  if (!options_.now_ms) options_.now_ms = wall_ms;
  if (!options_.secret_of) options_.secret_of = [](const std::string&) { return std::nullopt; };
}

std::string Access::parent_secret(const std::string& access_key_id) const {
  return options_.secret_of(access_key_id).value_or(own_secret_);
}

Status Access::check_time(const Authorization& authorization) const {
  const auto signed_at = parse_basic_time(authorization.timestamp);
  if (!signed_at) return fail("IncompleteSignature", "The date of the signature is none");
  const auto now = options_.now_ms();
  const auto& text = authorization.timestamp;
  if (*signed_at > now + skew_ms_max) {
    return fail("RequestExpired",
                fmt::format("Signature not yet current: {} is still later than {} ({} + 15 min.)",
                            text, basic_time(now + skew_ms_max), basic_time(now)));
  }
  const auto valid_ms =
      authorization.is_presigned ? authorization.expires_seconds * 1'000 : skew_ms_max;
  if (*signed_at + valid_ms < now) {
    const auto minutes = authorization.is_presigned
                             ? fmt::format("{} sec.", authorization.expires_seconds)
                             : std::string("15 min.");
    return fail("RequestExpired",
                fmt::format("Signature expired: {} is now earlier than {} ({} - {})", text,
                            basic_time(now - valid_ms), basic_time(now), minutes));
  }
  return {};
}

Result<Access::Identity> Access::identify_session(const Authorization& authorization) const {
  const auto& token = authorization.session_token;
  const auto session = read_session_token(token);
  if (!session || session->access_key_id != authorization.access_key_id) return invalid_token();
  const auto known = options_.secret_of(session->parent_key_id);
  if (!known && options_.verifies) return invalid_token();
  const auto parent = known.value_or(own_secret_);
  if (!is_authentic(token, parent)) return invalid_token();
  if (session->expires_at_ms < options_.now_ms())
    return fail("ExpiredToken", "The security token included in the request is expired");
  Identity identity;
  identity.caller.user_id = session->user_id;
  identity.caller.arn = session->arn;
  identity.caller.parent_key_id = session->parent_key_id;
  identity.secret = secret_of(token, parent);
  return identity;
}

Result<Access::Identity> Access::identify(const Authorization& authorization) const {
  if (!authorization.session_token.empty()) {
    auto identity = identify_session(authorization);
    const bool is_ours = identity || identity.error().code == "ExpiredToken";
    if (is_ours || options_.verifies) return identity;
  }
  const auto secret = options_.secret_of(authorization.access_key_id);
  if (!secret && options_.verifies) return invalid_token();
  Identity identity;
  identity.caller.user_id = options_.account;
  identity.caller.arn = "arn:aws:iam::" + options_.account + ":root";
  identity.caller.parent_key_id = authorization.access_key_id;
  identity.secret = secret.value_or("");
  return identity;
}

Result<Caller> Access::admit(const HttpRequest& request, const Parameters& query,
                             const Authorization& authorization) const {
  auto identity = identify(authorization);
  if (!identity) return std::unexpected(identity.error());
  if (options_.verifies) {
    if (auto timely = check_time(authorization); !timely) return std::unexpected(timely.error());
    if (auto covered = check_coverage(request, authorization); !covered)
      return std::unexpected(covered.error());
    const auto canonical = canonical_request(request, query, authorization);
    const auto expected =
        sign(identity->secret, authorization, string_to_sign(authorization, canonical));
    if (!equal_in_constant_time(expected, authorization.signature)) {
      return fail("SignatureDoesNotMatch",
                  "The request signature we calculated does not match the signature you provided. "
                  "Check your AWS Secret Access Key and signing method. Consult the service "
                  "documentation for details.");
    }
  }
  auto& caller = identity->caller;
  caller.access_key_id = authorization.access_key_id;
  caller.account = options_.account;
  caller.region = authorization.region;
  return std::move(caller);
}

TemporaryCredentials Access::issue_for(const Caller& caller, Session session) const {
  session.parent_key_id = caller.parent_key_id;
  return issue(session, parent_secret(caller.parent_key_id));
}

}  // namespace weir::aws
