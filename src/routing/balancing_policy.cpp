#include "routing/balancing_policy.hpp"

#include "model/attributes.hpp"

namespace weir::routing {
namespace {

// Reads the attributes of one group; the words have been validated.
class Reader {
 public:
  explicit Reader(const model::TargetGroup& group) : group_(group) {}

  [[nodiscard]] std::string text(std::string_view key) const {
    return model::value_of(group_.attributes, model::target_group_attributes(), key);
  }
  // "off" is 0.
  [[nodiscard]] std::uint32_t count(std::string_view key) const {
    if (text(key) == "off") return 0;
    return static_cast<std::uint32_t>(
        model::number_of(group_.attributes, model::target_group_attributes(), key));
  }
  [[nodiscard]] std::int64_t seconds_as_ms(std::string_view key) const {
    return std::int64_t{count(key)} * 1000;
  }
  [[nodiscard]] bool flag(std::string_view key) const { return text(key) == "true"; }

 private:
  const model::TargetGroup& group_;
};

Algorithm algorithm_of(const Reader& read) {
  if (read.text("weir.load_balancing.algorithm") == "p2c_ewma") return Algorithm::p2c_ewma;
  const std::string name = read.text("load_balancing.algorithm.type");
  if (name == "least_outstanding_requests") return Algorithm::least_outstanding_requests;
  if (name == "weighted_random") return Algorithm::weighted_random;
  return Algorithm::round_robin;
}

BalancingPolicy::OutlierEjection outlier_ejection_of(const Reader& read) {
  BalancingPolicy::OutlierEjection out;
  if (!read.flag("weir.outlier_ejection.enabled")) return out;
  out.failures_in_a_row = read.count("weir.outlier_ejection.consecutive_failures");
  out.base_ms = read.seconds_as_ms("weir.outlier_ejection.base_ejection_seconds");
  out.most_ms = read.seconds_as_ms("weir.outlier_ejection.max_ejection_seconds");
  out.percent_max = read.count("weir.outlier_ejection.max_ejection_percent");
  return out;
}

BalancingPolicy::Stickiness stickiness_of(const Reader& read) {
  BalancingPolicy::Stickiness out;
  if (!read.flag("stickiness.enabled")) return out;
  using Kind = BalancingPolicy::Stickiness::Kind;
  const bool is_app = read.text("stickiness.type") == "app_cookie";
  out.kind = is_app ? Kind::app_cookie : Kind::lb_cookie;
  out.seconds = read.count(is_app ? "stickiness.app_cookie.duration_seconds"
                                  : "stickiness.lb_cookie.duration_seconds");
  if (is_app) out.cookie_name = read.text("stickiness.app_cookie.cookie_name");
  return out;
}

}  // namespace

BalancingPolicy compile_policy(const model::TargetGroup& group) {
  const Reader read(group);
  BalancingPolicy out;
  out.algorithm = algorithm_of(read);
  // An Application Load Balancer's own attribute is always "true".
  out.is_cross_zone = read.text("load_balancing.cross_zone.enabled") != "false";
  out.mitigates_anomalies = read.text("load_balancing.algorithm.anomaly_mitigation") == "on";
  out.slow_start_ms = read.seconds_as_ms("slow_start.duration_seconds");
  constexpr std::string_view healthy =
      "target_group_health.unhealthy_state_routing.minimum_healthy_targets.";
  out.healthy_count_min = read.count(std::string(healthy) + "count");
  out.healthy_percent_min = read.count(std::string(healthy) + "percentage");
  out.circuit_breaker = {read.count("weir.circuit_breaker.max_connections"),
                         read.count("weir.circuit_breaker.max_pending"),
                         read.count("weir.circuit_breaker.max_requests")};
  out.outlier_ejection = outlier_ejection_of(read);
  out.stickiness = stickiness_of(read);
  return out;
}

}  // namespace weir::routing
