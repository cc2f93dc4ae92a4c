// The health check log: one line a result, 10 fields (reference §7.3).
#pragma once

#include <cstdint>
#include <string>

#include "telemetry/entry.hpp"

namespace weir::telemetry {

struct HealthCheckNumbers {
  std::int64_t begun_us = 0;  // wall clock
  std::int64_t latency_ns = 0;
  std::int32_t status_code = 0;  // 0: there was no answer
  std::uint16_t target_port = 0;
  bool has_passed = false;
};

enum class HealthCheckText : std::uint8_t {
  load_balancer_arn,
  node_ip,
  type,  // http, https, h2, grpc
  target_ip,
  target_group,  // its name
  reason_code,   // empty where it has passed
  count_,
};

using HealthCheckEntry = Entry<LogKind::health_check, HealthCheckNumbers, HealthCheckText>;

// With its newline.
void append_line(std::string& out, const HealthCheckEntry& entry);

}  // namespace weir::telemetry
