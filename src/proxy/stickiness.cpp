#include "proxy/stickiness.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/cookies.hpp"
#include "http/header_names.hpp"

namespace weir::proxy {
namespace {

using balancing::Session;
using balancing::SessionKind;
using Kind = routing::BalancingPolicy::Stickiness::Kind;

constexpr std::int64_t cookie_life_seconds = std::int64_t{7} * 24 * 3600;
// Our values fit one shard; a browser may still hold others of a longer one.
constexpr int app_cookie_shards = 4;

// The values of the cookies that matter; of several with one name the first.
struct Wanted {
  std::string_view name;
  std::string_view value = {};
  bool is_found = false;

  void take(std::string_view cookie, std::string_view cookie_value) {
    if (is_found || cookie != name) return;
    is_found = true;
    value = cookie_value;
  }
};

template <typename... Wants>
void find_cookies(const http::RequestHead& head, Wants&... wants) {
  for (const http::Header& header : head.headers) {
    if (header.id != http::HeaderId::cookie) continue;
    http::for_each_cookie(header.value, [&](std::string_view name, std::string_view value) {
      (wants.take(name, value), ...);
    });
  }
}

std::optional<Session> valid(std::optional<Session> session, std::int64_t unix_seconds) {
  if (!session || session->expires_at <= unix_seconds || session->bound_at > unix_seconds)
    return std::nullopt;
  return session;
}

// The cookie that cross-origin requests bring wins where both come.
const Wanted& one_of_pair(const Wanted& cors, const Wanted& plain) {
  return cors.is_found ? cors : plain;
}

// Chromium from 80 on sends cookies to other origins only with SameSite=None.
bool is_chromium_80(const http::RequestHead& head) {
  const http::Header* agent = head.find(http::HeaderId::user_agent);
  if (agent == nullptr) return false;
  for (const std::string_view name : {"Chrome/", "Chromium/"}) {
    const auto at = agent->value.find(name);
    if (at == std::string_view::npos) continue;
    const std::string_view version = agent->value.substr(at + name.size());
    int major = 0;
    std::from_chars(version.data(), version.data() + version.size(), major);
    return major >= 80;
  }
  return false;
}

bool sets_cookie(const http::ResponseHead& head, std::string_view name) {
  return std::ranges::any_of(head.headers, [&](const http::Header& header) {
    return http::is_word<"set-cookie">(header.name) && http::set_cookie_name(header.value) == name;
  });
}

void append_cookie(std::string& lines, std::string_view name, std::string_view value,
                   std::string_view expires, std::string_view more) {
  for (const std::string_view part : {std::string_view("Set-Cookie: "), name, std::string_view("="),
                                      value, std::string_view("; Expires="), expires,
                                      std::string_view("; Path=/"), more, std::string_view("\r\n")})
    lines.append(part);
}

constexpr std::string_view cross_site = "; SameSite=None; Secure";

}  // namespace

std::optional<std::uint32_t> Stickiness::group_of(const routing::Forward& action,
                                                  const Serving& serving,
                                                  const http::RequestHead& head,
                                                  StickinessTools& tools,
                                                  std::int64_t unix_seconds) {
  is_one_of_groups_ = action.groups.size() > 1;
  if (action.stickiness_seconds == 0 || !tools.sealer.has_key()) return std::nullopt;
  group_seconds_ = action.stickiness_seconds;
  Wanted cors{"AWSALBTGCORS"};
  Wanted plain{"AWSALBTG"};
  find_cookies(head, cors, plain);
  const Wanted& cookie = one_of_pair(cors, plain);
  if (!cookie.is_found) return std::nullopt;
  const auto opened = tools.sealer.open(SessionKind::group, 0, cookie.value);
  is_group_cookie_invalid_ = !opened;
  const auto session = valid(opened, unix_seconds);
  if (!session) return std::nullopt;
  for (std::uint32_t i = 0; i < action.groups.size(); ++i) {
    const auto& group = serving.snapshot->target_groups[action.groups[i].target_group];
    if (group.identity != session->subject) continue;
    group_followed_ = session->subject;
    group_bound_at_ = session->bound_at;
    return i;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Stickiness::target_of(Serving::Group& group,
                                                   const http::RequestHead& head,
                                                   const balancing::ChoiceFacts& facts,
                                                   StickinessTools& tools,
                                                   std::int64_t unix_seconds) {
  const routing::TargetGroup& targets = group.target_group;
  const auto& policy = targets.policy.stickiness;
  if (policy.kind == Kind::off || !tools.sealer.has_key()) return std::nullopt;
  if (policy.kind == Kind::app_cookie && is_one_of_groups_) return std::nullopt;  // reference §4.4
  is_target_sticky_ = true;
  std::optional<Session> session;
  if (policy.kind == Kind::lb_cookie) {
    Wanted cors{"AWSALBCORS"};
    Wanted plain{"AWSALB"};
    find_cookies(head, cors, plain);
    const Wanted& cookie = one_of_pair(cors, plain);
    if (cookie.is_found)
      session = valid(tools.sealer.open(SessionKind::target, targets.identity, cookie.value),
                      unix_seconds);
  } else {
    is_of_app_ = true;
    Wanted own{"AWSALBAPP-0"};
    Wanted application{policy.cookie_name};
    find_cookies(head, own, application);
    wants_same_site_ = is_chromium_80(head);
    if (own.is_found && application.is_found)  // both must come back
      session = valid(tools.sealer.open(SessionKind::app_target, targets.identity, own.value),
                      unix_seconds);
  }
  if (!session) return std::nullopt;
  const auto& numbered = *targets.by_identity;
  const auto found = std::ranges::lower_bound(numbered, std::pair(session->subject, 0U));
  if (found == numbered.end() || found->first != session->subject) return std::nullopt;
  const std::uint32_t target = found->second;
  const std::int64_t failed_at_ms =
      targets.targets[target].health->failed_at_ms.load(std::memory_order_relaxed);
  if (session->bound_at * 1000 <= failed_at_ms || !group.chooser.is_eligible(target, facts))
    return std::nullopt;
  has_session_ = true;
  target_followed_ = target;
  target_bound_at_ = session->bound_at;
  return target;
}

void Stickiness::note(telemetry::RequestRecord& record) const {
  record.is_newly_sticky = is_target_sticky_ && !has_session_;
  record.is_app_cookie_missing = record.is_newly_sticky && is_of_app_;
  if (is_group_cookie_invalid_) record.error_reason = "AWSALBTGCookieInvalid";
}

std::string_view Stickiness::response_lines(const routing::TargetGroup& group, std::uint32_t target,
                                            const http::ResponseHead& head, StickinessTools& tools,
                                            std::int64_t unix_seconds) {
  tools.lines.clear();
  if (group_seconds_ == 0 && !is_target_sticky_) return {};
  const std::string_view expires = tools.expires.at(unix_seconds + cookie_life_seconds);
  if (group_seconds_ != 0) {
    const std::int64_t bound_at =
        group_followed_ == group.identity ? group_bound_at_ : unix_seconds;
    const std::string_view value = tools.sealer.seal(
        SessionKind::group, 0, {group.identity, bound_at, unix_seconds + group_seconds_});
    append_cookie(tools.lines, "AWSALBTG", value, expires, {});
    append_cookie(tools.lines, "AWSALBTGCORS", value, expires, cross_site);
  }
  if (!is_target_sticky_) return tools.lines;
  const auto& policy = group.policy.stickiness;
  const bool is_same = has_session_ && target_followed_ == target;
  const Session session{group.targets[target].identity, is_same ? target_bound_at_ : unix_seconds,
                        unix_seconds + policy.seconds};
  if (policy.kind == Kind::lb_cookie) {
    const std::string_view value = tools.sealer.seal(SessionKind::target, group.identity, session);
    append_cookie(tools.lines, "AWSALB", value, expires, {});
    append_cookie(tools.lines, "AWSALBCORS", value, expires, cross_site);
  } else if (is_same || sets_cookie(head, policy.cookie_name)) {
    const std::string_view more = wants_same_site_ ? cross_site : std::string_view{};
    append_cookie(tools.lines, "AWSALBAPP-0",
                  tools.sealer.seal(SessionKind::app_target, group.identity, session), expires,
                  more);
    for (int shard = 1; shard < app_cookie_shards; ++shard) {
      const std::array<char, 11> name = {
          'A', 'W', 'S', 'A', 'L', 'B', 'A', 'P', 'P', '-', static_cast<char>('0' + shard)};
      append_cookie(tools.lines, {name.data(), name.size()}, "_remove_", expires, more);
    }
  }
  return tools.lines;
}

}  // namespace weir::proxy
