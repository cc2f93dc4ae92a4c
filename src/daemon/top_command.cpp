#include "daemon/top_command.hpp"

#include <algorithm>

namespace weir::daemon {
namespace {

using telemetry::OfBalancer;
using telemetry::OfGroup;
using telemetry::OfTarget;

Json times_json(const telemetry::HistogramValues& times) {
  Json out = Json::array();
  for (std::size_t i = 0; i < times.counts.size(); ++i) {
    if (times.counts[i] > 0) out.push_back(Json::array({i, times.counts[i]}));
  }
  return out;
}

Json balancer_json(const routing::LoadBalancer& balancer, const telemetry::Totals& totals) {
  const telemetry::BalancerTotals all = totals.balancer(balancer.arn);
  const auto& counts = all.counts;
  return Json{{"name", balancer.name},
              {"arn", balancer.arn},
              {"requests", counts[OfBalancer::requests]},
              {"2xx", counts[OfBalancer::target_2xx]},
              {"4xx", counts[OfBalancer::target_4xx] + counts[OfBalancer::elb_4xx]},
              {"5xx", counts[OfBalancer::target_5xx] + counts[OfBalancer::elb_5xx]},
              {"bytes", counts[OfBalancer::received_bytes] + counts[OfBalancer::sent_bytes]},
              {"connections", counts[OfBalancer::active_connections]},
              {"times", times_json(all.response_time)}};
}

std::string health_of(const routing::Target& target) {
  if (!target.usable) return "unused";
  if (target.draining) return "draining";
  if (!target.health) return "initial";
  switch (target.health->state.load(std::memory_order_relaxed)) {
    case routing::HealthState::healthy:
      return "healthy";
    case routing::HealthState::unhealthy:
      return "unhealthy";
    case routing::HealthState::initial:
      break;
  }
  return "initial";
}

Json target_json(const routing::TargetGroup& group, const routing::Target& target,
                 const telemetry::Totals& totals) {
  telemetry::TargetTotals of;
  const auto found = totals.targets.find({group.arn, target.id, target.port});
  if (found != totals.targets.end()) of = found->second;
  const std::uint32_t connections =
      target.health ? target.health->loads.sum(&routing::TargetLoad::connections) : 0;
  return Json{{"target_group", group.name},
              {"id", target.id},
              {"port", target.port},
              {"zone", target.zone},
              {"health", health_of(target)},
              {"requests", of.counts[OfTarget::requests]},
              {"2xx", of.counts[OfTarget::target_2xx]},
              {"4xx", of.counts[OfTarget::target_4xx]},
              {"5xx", of.counts[OfTarget::target_5xx]},
              {"connections", connections},
              {"responses", of.counts[OfTarget::responses]},
              {"response_time_us", of.counts[OfTarget::response_time_us]}};
}

Json group_json(const routing::TargetGroup& group, const telemetry::Totals& totals) {
  const telemetry::GroupTotals all = totals.group(group.arn);
  std::uint64_t connections = 0;
  for (const routing::Target& target : group.targets) {
    if (target.health) connections += target.health->loads.sum(&routing::TargetLoad::connections);
  }
  const auto healthy = std::ranges::count_if(
      group.targets, [](const routing::Target& target) { return health_of(target) == "healthy"; });
  return Json{{"name", group.name},
              {"arn", group.arn},
              {"healthy", healthy},
              {"targets", group.targets.size()},
              {"requests", all.counts[OfGroup::requests]},
              {"2xx", all.counts[OfGroup::target_2xx]},
              {"4xx", all.counts[OfGroup::target_4xx]},
              {"5xx", all.counts[OfGroup::target_5xx]},
              {"connections", connections},
              {"times", times_json(all.response_time)}};
}

}  // namespace

Json top_json(const telemetry::Totals& totals, const routing::Snapshot& snapshot,
              std::int64_t monotonic_now_ms) {
  Json balancers = Json::array(), groups = Json::array(), targets = Json::array();
  for (const auto& balancer : snapshot.load_balancers)
    balancers.push_back(balancer_json(balancer, totals));
  for (const auto& group : snapshot.target_groups) {
    groups.push_back(group_json(group, totals));
    for (const auto& target : group.targets) targets.push_back(target_json(group, target, totals));
  }
  return Json{{"time_ms", monotonic_now_ms},
              {"load_balancers", balancers},
              {"target_groups", groups},
              {"targets", targets}};
}

}  // namespace weir::daemon
