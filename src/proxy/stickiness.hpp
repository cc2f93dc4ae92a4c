// The stickiness of one exchange (reference §4.4): what the request's cookies ask for, and the
// cookies that its response brings.
//
// Cookies are sealed sessions (balancing/session.hpp). A session is followed while it has not
// expired and its target is eligible and has not failed since it was bound; in every other case the
// target is chosen anew and a new session begins. With every response of a target the cookies are
// issued again, so the session slides. Nothing of this costs anything where no stickiness is on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "balancing/session.hpp"
#include "http/message.hpp"
#include "http/writer.hpp"
#include "proxy/serving.hpp"
#include "telemetry/request_record.hpp"

namespace weir::proxy {

// What the sticky exchanges of one worker share.
struct StickinessTools {
  balancing::SessionSealer sealer;
  http::DateCache expires;
  std::string lines;  // "Set-Cookie: …\r\n" of the response being written; keeps its memory
};

class Stickiness {
 public:
  // Index in `action.groups` that the request's session names; nothing where there is none or the
  // action is not sticky. Asked first.
  [[nodiscard]] std::optional<std::uint32_t> group_of(const routing::Forward& action,
                                                      const Serving& serving,
                                                      const http::RequestHead& head,
                                                      StickinessTools& tools,
                                                      std::int64_t unix_seconds);
  // The target of `group` that the request's session names, where it may still be used. No
  // application's cookie binds where the action has several groups.
  [[nodiscard]] std::optional<std::uint32_t> target_of(Serving::Group& group,
                                                       const http::RequestHead& head,
                                                       const balancing::ChoiceFacts& facts,
                                                       StickinessTools& tools,
                                                       std::int64_t unix_seconds);
  // The Set-Cookie lines of a response from `target`, valid until the next call; mostly empty.
  [[nodiscard]] std::string_view response_lines(const routing::TargetGroup& group,
                                                std::uint32_t target,
                                                const http::ResponseHead& head,
                                                StickinessTools& tools, std::int64_t unix_seconds);

  // Once both have been asked: whether the request was to stick and a new choice had to be made.
  void note(telemetry::RequestRecord& record) const;
  void clear() { *this = Stickiness(); }

 private:
  std::int64_t group_seconds_ = 0;  // of the action; 0: groups are not sticky
  std::int64_t group_bound_at_ = 0;
  std::uint64_t group_followed_ = 0;  // identity
  std::int64_t target_bound_at_ = 0;
  std::uint32_t target_followed_ = 0;
  bool is_one_of_groups_ = false;  // the action weighs several
  bool is_target_sticky_ = false;
  bool has_session_ = false;  // of a target
  bool wants_same_site_ = false;
  bool is_of_app_ = false;                // the target session hangs on an application's cookie
  bool is_group_cookie_invalid_ = false;  // came, but is none of ours
};

}  // namespace weir::proxy
