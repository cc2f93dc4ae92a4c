// How a target group wants its targets chosen: its attributes (reference §4.2), compiled.
#pragma once

#include <cstdint>
#include <string>

#include "model/resources.hpp"

namespace weir::routing {

enum class Algorithm : std::uint8_t {
  round_robin,
  least_outstanding_requests,
  weighted_random,
  p2c_ewma,  // weir.load_balancing.algorithm
};

struct BalancingPolicy {
  Algorithm algorithm = Algorithm::round_robin;
  bool is_cross_zone = true;
  bool mitigates_anomalies = false;
  std::int64_t slow_start_ms = 0;  // 0: off

  // With fewer healthy targets than both ask for, all take requests (reference §4.6).
  std::uint32_t healthy_count_min = 1;
  std::uint32_t healthy_percent_min = 0;

  // weir.circuit_breaker.*: of one target, over all workers; 0: no limit.
  struct CircuitBreaker {
    std::uint32_t connections_max = 0;
    std::uint32_t pending_max = 0;
    std::uint32_t requests_max = 0;
    [[nodiscard]] bool is_on() const { return (connections_max | pending_max | requests_max) != 0; }
  } circuit_breaker;

  // weir.outlier_ejection.*
  struct OutlierEjection {
    std::uint32_t failures_in_a_row = 0;  // 0: off
    std::int64_t base_ms = 30'000;
    std::int64_t most_ms = 300'000;
    std::uint32_t percent_max = 10;  // of the group's targets; at least one, never all
    [[nodiscard]] bool is_on() const { return failures_in_a_row != 0; }
  } outlier_ejection;

  struct Stickiness {
    enum class Kind : std::uint8_t { off, lb_cookie, app_cookie } kind = Kind::off;
    std::int64_t seconds = 86'400;
    std::string cookie_name;  // the application's
  } stickiness;
};

[[nodiscard]] BalancingPolicy compile_policy(const model::TargetGroup& group);

}  // namespace weir::routing
