// AWS/ApplicationELB (reference §7.4) from the data plane's counters: what came since the last look
// is added to the minute of that look, by every set of dimensions that CloudWatch has.
//
// A load balancer's set counts by the zone of its node, a group's by the zone of the target. A
// metric is reported where it is not 0, as AWS does it; the hosts of a group always.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "metrics/metric_store.hpp"
#include "routing/snapshot.hpp"
#include "telemetry/totals.hpp"

namespace weir::metrics {

inline constexpr const char* load_balancing_namespace = "AWS/ApplicationELB";

// One thread at a time.
class LoadBalancingMetrics {
 public:
  // Looks at the counters. Samples for MetricStore::put.
  [[nodiscard]] std::vector<Sample> collect(telemetry::Totals totals,
                                            const routing::Snapshot& snapshot, std::int64_t now_s);
  // Looks at the targets' health alone.
  [[nodiscard]] static std::vector<Sample> hosts(const routing::Snapshot& snapshot,
                                                 std::int64_t now_s);

 private:
  telemetry::Totals before_;
  // By the ARN of a group, also of groups that are no longer used: their last counts come later.
  std::map<std::string, std::string> balancer_of_group_;
  std::int64_t before_s_ = 0;
};

}  // namespace weir::metrics
