#include <fmt/core.h>

#include "health/checker.hpp"

namespace weir::health {
namespace {

using routing::HealthState;

// Reference §4.7.
Status failed_status(CheckResult result, int code) {
  switch (result) {
    case CheckResult::code_mismatch:
      return {HealthState::unhealthy, "Target.ResponseCodeMismatch",
              fmt::format("Health checks failed with these codes: [{}]", code)};
    case CheckResult::timeout:
      return {HealthState::unhealthy, "Target.Timeout", "Request timed out"};
    case CheckResult::success:
    case CheckResult::connection_failed:
      break;
  }
  return {HealthState::unhealthy, "Target.FailedHealthChecks", "Health checks failed"};
}

}  // namespace

TargetHealth::TargetHealth(int healthy_threshold, int unhealthy_threshold)
    : healthy_threshold_(healthy_threshold),
      unhealthy_threshold_(unhealthy_threshold),
      status_{HealthState::initial, "Elb.InitialHealthChecking",
              "Initial health checks in progress"} {}

void TargetHealth::set_thresholds(int healthy_threshold, int unhealthy_threshold) {
  healthy_threshold_ = healthy_threshold;
  unhealthy_threshold_ = unhealthy_threshold;
}

bool TargetHealth::record(CheckResult result, int code, bool counts) {
  if (result == CheckResult::success) return record_success();
  return counts && record_failure(result, code);
}

// A new target needs one success, one that has failed needs the threshold (reference §4.5).
bool TargetHealth::record_success() {
  failures_ = 0;
  if (status_.state == HealthState::healthy) return false;
  ++successes_;
  if (status_.state == HealthState::unhealthy && successes_ < healthy_threshold_) return false;
  status_ = {HealthState::healthy, {}, {}};
  return true;
}

bool TargetHealth::record_failure(CheckResult result, int code) {
  successes_ = 0;
  const bool was_unhealthy = status_.state == HealthState::unhealthy;
  if (!was_unhealthy && ++failures_ < unhealthy_threshold_) return false;
  failures_ = 0;
  status_ = failed_status(result, code);  // unhealthy already: the latest reason is the one shown
  return !was_unhealthy;
}

}  // namespace weir::health
