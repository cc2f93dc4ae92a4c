// Active health checks (reference §4.5–§4.7): one thread, one event loop, all targets in use.
//
// Checks of a new target begin at once and, until the first success, are repeated quickly (every
// 50 ms for the first second, then at a twentieth of the time waited so far) so that a stack is up
// as soon as its apps are; only the checks at the configured interval count towards the unhealthy
// threshold.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "model/resources.hpp"
#include "net/loop.hpp"
#include "routing/snapshot.hpp"
#include "telemetry/log_ring.hpp"

namespace weir::health {

struct Status {
  routing::HealthState state = routing::HealthState::initial;
  std::string reason;       // Elb.InitialHealthChecking, Target.Timeout, …; empty when healthy
  std::string description;  // as the API words it
};

// The state machine of one target, without clock and socket: fed with results, asked for the state.
enum class CheckResult : std::uint8_t { success, code_mismatch, timeout, connection_failed };

class TargetHealth {
 public:
  TargetHealth(int healthy_threshold, int unhealthy_threshold);
  // `code` with code_mismatch. `counts` false: one of the quick checks before the first interval,
  // of which only a success matters. Returns true if the state has changed.
  bool record(CheckResult result, int code, bool counts);
  // The settings have changed; what was counted so far stays.
  void set_thresholds(int healthy_threshold, int unhealthy_threshold);
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  bool record_success();
  bool record_failure(CheckResult result, int code);

  int healthy_threshold_, unhealthy_threshold_;
  int successes_ = 0, failures_ = 0;
  Status status_;
};

// "200", "200,202", "200-299" and mixtures, each code 200-499: compiled once, asked often.
class CodeMatcher {
 public:
  [[nodiscard]] static Result<CodeMatcher> parse(std::string_view codes);
  [[nodiscard]] bool matches(int code) const;

 private:
  std::vector<std::pair<int, int>> ranges_;
};

class Checker {
 public:
  struct Options {
    std::optional<net::Backend> backend;
    // Makes a socket that reaches targets of the VPC; not set: any socket does. Called on the
    // checker's thread; may block for some microseconds.
    std::function<Result<Fd>()> vpc_socket;
    // Called on the checker's thread after a target's state has changed.
    std::function<void(const std::string& target_group_arn, const std::string& target_id,
                       std::uint16_t port, const Status&)>
        on_change;
    // Takes the results for the health check log; not set: there is none.
    std::shared_ptr<telemetry::LogRing> log;
  };
  [[nodiscard]] static Result<std::unique_ptr<Checker>> start(Options options);
  virtual ~Checker() = default;  // ends the thread

  // Any thread: check the targets of this snapshot from now on. Those that were there keep their
  // state; those that have gone are forgotten.
  virtual void apply(routing::SnapshotPtr snapshot) = 0;
  // Any thread. Elb.RegistrationInProgress where the target is not known yet.
  [[nodiscard]] virtual Status status(const std::string& target_group_arn,
                                      const std::string& target_id, std::uint16_t port) const = 0;
  // Any thread: check this target again at once (its instance has just started or ended).
  virtual void check_now(const std::string& target_id) = 0;
};

}  // namespace weir::health
