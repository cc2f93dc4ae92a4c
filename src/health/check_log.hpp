// The health check log's side of the checker: results become entries in a ring (reference §7.3).
//
// Of the quick checks of a new target only the one that passes is told: the others are its starting
// up, many times a second.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "health/checked_target.hpp"
#include "health/checker.hpp"
#include "telemetry/log_ring.hpp"

namespace weir::health {

// AWS's word for why a check has failed; empty where it has passed.
[[nodiscard]] std::string_view reason_code(CheckResult result, int code);

class CheckLog {
 public:
  // `ring` may be null: nothing is logged then.
  explicit CheckLog(std::shared_ptr<telemetry::LogRing> ring) : ring_(std::move(ring)) {}

  // Where the group's load balancer logs its checks.
  void add(const CheckedTarget& target, const CheckFacts& facts);

 private:
  const std::shared_ptr<telemetry::LogRing> ring_;
  std::string packed_;  // scratch
  std::uint64_t dropped_ = 0;
  bool is_dropping_ = false;
};

}  // namespace weir::health
