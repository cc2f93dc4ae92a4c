#include "aws/sts/sts_service.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "aws/description/description.hpp"
#include "aws/sigv4/digest.hpp"
#include "control/access_keys.hpp"

namespace weir::aws {
namespace {

constexpr std::int64_t session_seconds_default = 43'200;  // GetSessionToken: 12 hours
constexpr std::int64_t role_seconds_default = 3'600;
constexpr std::int64_t chained_role_seconds_max = 3'600;  // a role assumed by a role
constexpr std::size_t role_id_letters = 17;

struct Role {
  std::string account;
  std::string name;  // without its path
};

std::optional<Role> parse_role_arn(const std::string& arn) {
  static const RE2 pattern(
      R"(arn:aws[\w-]*:iam::(\d{12}):role/(?:[\x21-\x7E]*/)?([\w+=,.@-]{1,64}))");
  Role role;
  if (!RE2::FullMatch(arn, pattern, &role.account, &role.name)) return std::nullopt;
  return role;
}

// The same for the same role: AROA and letters and digits of a digest of its ARN.
std::string role_id(const std::string& arn) {
  auto id = "AROA" + sha256_hex(arn).substr(0, role_id_letters);
  for (auto& c : id) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return id;
}

Value credentials_value(const TemporaryCredentials& credentials, std::int64_t expires_at_ms) {
  return {{"AccessKeyId", credentials.access_key_id},
          {"SecretAccessKey", credentials.secret},
          {"SessionToken", credentials.session_token},
          {"Expiration", Timestamp{expires_at_ms}}};
}

bool is_temporary(const Caller& caller) { return caller.access_key_id != caller.parent_key_id; }

class Sts {
 public:
  explicit Sts(std::shared_ptr<const Access> access) : access_(std::move(access)) {}

  [[nodiscard]] Result<Value> assume_role(const Caller& caller, const Value& input) const {
    const auto arn = input.text("RoleArn");
    const auto role = parse_role_arn(arn);
    if (!role) return fail("ValidationError", arn + " is invalid");
    const auto seconds = input.integer("DurationSeconds").value_or(role_seconds_default);
    if (is_temporary(caller) && seconds > chained_role_seconds_max) {
      return fail("ValidationError",
                  "The requested DurationSeconds exceeds the 1 hour session limit for roles "
                  "assumed by role chaining");
    }
    const auto name = input.text("RoleSessionName");
    const auto id = fmt::format("{}:{}", role_id(arn), name);
    const auto assumed =
        fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", role->account, role->name, name);
    Value output = give(caller, seconds, id, assumed);
    output.set("AssumedRoleUser", {{"AssumedRoleId", id}, {"Arn", assumed}});
    output.set_text("SourceIdentity", input.text("SourceIdentity"));
    return output;
  }

  [[nodiscard]] Result<Value> get_session_token(const Caller& caller, const Value& input) const {
    if (is_temporary(caller))
      return fail("AccessDenied", "Cannot call GetSessionToken with session credentials");
    const auto seconds = input.integer("DurationSeconds").value_or(session_seconds_default);
    return give(caller, seconds, caller.user_id, caller.arn);
  }

 private:
  [[nodiscard]] Value give(const Caller& caller, std::int64_t seconds, const std::string& user_id,
                           const std::string& arn) const {
    const auto expires_at_ms = access_->now_ms() / 1'000 * 1'000 + seconds * 1'000;
    Session session{{}, control::make_access_key_id("ASIA"), expires_at_ms, user_id, arn};
    const auto credentials = access_->issue_for(caller, std::move(session));
    return {{"Credentials", credentials_value(credentials, expires_at_ms)}};
  }

  std::shared_ptr<const Access> access_;
};

Result<Value> get_access_key_info(const Caller& caller, const Value&) {
  return Value{{"Account", caller.account}};
}

Result<Value> get_caller_identity(const Caller& caller, const Value&) {
  return Value{{"UserId", caller.user_id}, {"Account", caller.account}, {"Arn", caller.arn}};
}

}  // namespace

std::unique_ptr<Service> make_sts_service(std::shared_ptr<const Access> access) {
  const auto sts = std::make_shared<const Sts>(std::move(access));
  return std::make_unique<Service>(
      embedded_description("sts"),
      Handlers{
          {"AssumeRole", [sts](const Caller& caller,
                               const Value& input) { return sts->assume_role(caller, input); }},
          {"GetAccessKeyInfo", get_access_key_info},
          {"GetCallerIdentity", get_caller_identity},
          {"GetSessionToken", [sts](const Caller& caller, const Value& input) {
             return sts->get_session_token(caller, input);
           }}});
}

}  // namespace weir::aws
