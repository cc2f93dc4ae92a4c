#include "daemon/health_wait.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "daemon/report.hpp"

namespace weir::daemon {
namespace {

constexpr std::chrono::milliseconds look_again{250};
constexpr std::int64_t trouble_interval_ms = 500;
// An app may still come up after its script has failed (it was started before the failing line).
constexpr std::int64_t trouble_grace_ms = 1'500;
constexpr std::size_t reasons_max = 3;

struct Sighting {
  HealthOutcome outcome;
  std::vector<control::TargetHealth> waiting;  // not healthy yet
};

Sighting look(Parts& parts, const std::vector<std::string>& groups) {
  Sighting sighting;
  for (const auto& arn : groups) {
    const auto described = parts.elb.describe_target_health(arn);
    if (!described) continue;
    for (const auto& target : *described) {
      // Unused because no rule refers to its group, or draining: nothing to wait for.
      if (target.state == "draining" || target.reason == "Target.NotInUse") continue;
      ++sighting.outcome.total;
      if (target.state == "healthy" || target.state == "unavailable") {
        ++sighting.outcome.healthy;
      } else {
        sighting.waiting.push_back(target);
      }
    }
  }
  return sighting;
}

bool has_ended(const Parts& parts, const std::string& instance_id) {
  bool ended = false;
  parts.registry.read([&](const control::State& state) {
    const auto found = state.instances.find(instance_id);
    ended = found != state.instances.end() &&
            found->second.state != model::InstanceState::running &&
            found->second.state != model::InstanceState::pending;
  });
  return ended;
}

// The targets that will not become healthy any more, once that has been so for a while.
class TroubleWatch {
 public:
  explicit TroubleWatch(Parts& parts) : parts_(parts) {}

  [[nodiscard]] bool is_hopeless(const std::vector<control::TargetHealth>& waiting) {
    const auto now = monotonic_ms();
    if (now < next_look_ms_) return false;
    next_look_ms_ = now + trouble_interval_ms;
    bool hopeless = false;
    for (const auto& target : waiting) {
      if (!is_lost(target.target_id)) continue;
      const auto [since, is_new] = lost_since_ms_.try_emplace(target.target_id, now);
      if (!is_new && now - since->second >= trouble_grace_ms) hopeless = true;
    }
    return hopeless;
  }

 private:
  bool is_lost(const std::string& id) {
    if (has_ended(parts_, id)) return true;
    const auto status = parts_.compute.user_data_status(id);
    return status && status->state == compute::UserDataState::failed;
  }

  Parts& parts_;
  std::int64_t next_look_ms_ = 0;
  std::map<std::string, std::int64_t> lost_since_ms_;
};

Error unhealthy_error(Parts& parts, const std::string& stack, const Sighting& sighting) {
  std::string reasons;
  std::string troubled;
  for (const auto& target : sighting.waiting) {
    const auto trouble = trouble_of(parts, target.target_id);
    if (troubled.empty() && !trouble.empty()) troubled = target.target_id;
  }
  for (std::size_t i = 0; i < std::min(sighting.waiting.size(), reasons_max); ++i) {
    const auto& target = sighting.waiting[i];
    const auto trouble = trouble_of(parts, target.target_id);
    reasons += fmt::format("\n  {}:{} is {}: {}", target.target_id, target.port, target.state,
                           !trouble.empty()             ? trouble
                           : target.description.empty() ? target.reason
                                                        : target.description);
  }
  if (sighting.waiting.size() > reasons_max) {
    reasons += fmt::format("\n  and {} more", sighting.waiting.size() - reasons_max);
  }
  const auto& log_of =
      troubled.empty() && !sighting.waiting.empty() ? sighting.waiting.front().target_id : troubled;
  return Error{"TargetsUnhealthy",
               fmt::format("stack {} is up, but only {} of {} targets are healthy:{}", stack,
                           sighting.outcome.healthy, sighting.outcome.total, reasons),
               fmt::format("`weir logs {}` shows what its user data said, `weir status` the rest; "
                           "the stack stays until `weir down {}` removes it",
                           log_of, stack)};
}

}  // namespace

Result<HealthOutcome> wait_until_healthy(Parts& parts, const std::string& stack,
                                         std::chrono::milliseconds timeout, Session& session) {
  std::vector<std::string> groups;
  parts.registry.read([&](const control::State& state) {
    groups = physical_ids(state, stack, "AWS::ElasticLoadBalancingV2::TargetGroup");
  });
  const auto start_ns = monotonic_ns();
  const auto deadline = monotonic_ms() + timeout.count();
  TroubleWatch trouble(parts);
  double first_healthy_ms = 0;
  int reported = -1;
  while (true) {
    const auto seen = parts.changes.count();
    auto sighting = look(parts, groups);
    if (first_healthy_ms <= 0 && sighting.outcome.healthy > 0) {
      first_healthy_ms = static_cast<double>(monotonic_ns() - start_ns) / 1e6;
    }
    sighting.outcome.first_healthy_ms = first_healthy_ms;
    if (sighting.outcome.healthy != reported) {
      reported = sighting.outcome.healthy;
      session.send_event(to_line(Json{{"event", "targets"},
                                      {"healthy", sighting.outcome.healthy},
                                      {"total", sighting.outcome.total}}));
    }
    if (sighting.waiting.empty()) return sighting.outcome;
    if (session.stopping()) return fail("Stopping", "the daemon is ending");
    if (session.client_gone()) return fail("Disconnected", "the client has gone");
    if (monotonic_ms() >= deadline || trouble.is_hopeless(sighting.waiting)) {
      return std::unexpected(unhealthy_error(parts, stack, sighting));
    }
    parts.changes.wait(seen, look_again);
  }
}

}  // namespace weir::daemon
