#include "health/check_log.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
#include "telemetry/health_check_line.hpp"

namespace weir::health {
namespace {

std::string_view type_of(const model::HealthCheck& check) {
  return check.protocol == "HTTPS" ? "https" : "http";
}

}  // namespace

std::string_view reason_code(CheckResult result, int code) {
  switch (result) {
    case CheckResult::success:
      return {};
    case CheckResult::code_mismatch:
      return code >= 500 ? "TargetError" : "ResponseCodeMismatch";
    case CheckResult::timeout:
      return "TimedOut";
    case CheckResult::connection_failed:
      return "ConnectionReset";
  }
  return "InternalError";
}

void CheckLog::add(const CheckedTarget& target, const CheckFacts& facts) {
  using telemetry::HealthCheckText;
  const GroupSettings& group = target.settings();
  if (ring_ == nullptr || group.logs_checks_of.empty()) return;
  if (!facts.counts && !facts.reason_code.empty()) return;
  const std::int64_t latency_ns = monotonic_ns() - facts.begun_ns;
  telemetry::HealthCheckEntry entry;
  entry.numbers = {wall_us() - latency_ns / 1000, latency_ns, facts.status_code,
                   group.port != 0 ? group.port : target.port(), facts.reason_code.empty()};
  entry.text(HealthCheckText::load_balancer_arn) = group.logs_checks_of;
  entry.text(HealthCheckText::node_ip) = group.node_ip;
  entry.text(HealthCheckText::type) = type_of(group.check);
  entry.text(HealthCheckText::target_ip) = target.address();
  entry.text(HealthCheckText::target_group) = group.name;
  entry.text(HealthCheckText::reason_code) = facts.reason_code;
  telemetry::pack(entry, packed_);
  const bool is_lost = !ring_->push(packed_);
  if (is_lost) ++dropped_;
  if (is_lost && !is_dropping_)
    log::warn("the health check log loses lines, {} so far: its ring is full", dropped_);
  is_dropping_ = is_lost;
}

}  // namespace weir::health
