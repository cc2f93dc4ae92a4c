#include "metrics/load_balancing.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace weir::metrics {
namespace {

using telemetry::GroupTotals;
using telemetry::OfBalancer;
using telemetry::OfGroup;
using telemetry::ZoneKey;

enum class Counting : unsigned char {
  events,  // each is a sample of 1
  amount,  // one sample a minute
  gauge,
};

template <typename Name>
struct Rule {
  std::string_view metric;
  std::array<Name, 2> sources;  // added up; the second may be `count_`: none
  Counting counting = Counting::events;
  std::string_view unit = "Count";
};

template <typename Name>
constexpr Rule<Name> events(std::string_view metric, Name first, Name second = Name::count_) {
  return {metric, {first, second}};
}

constexpr Rule<OfBalancer> balancer_rules[] = {
    {"ActiveConnectionCount",
     {OfBalancer::active_connections, OfBalancer::active_target_connections},
     Counting::gauge},
    events("NewConnectionCount", OfBalancer::new_connections, OfBalancer::new_target_connections),
    events("RejectedConnectionCount", OfBalancer::rejected_connections),
    events("ClientTLSNegotiationErrorCount", OfBalancer::client_tls_negotiation_errors),
    events("TargetTLSNegotiationErrorCount", OfBalancer::target_tls_negotiation_errors),
    {"ProcessedBytes",
     {OfBalancer::received_bytes, OfBalancer::sent_bytes},
     Counting::amount,
     "Bytes"},
    {"IPv6ProcessedBytes", {OfBalancer::ipv6_bytes, OfBalancer::count_}, Counting::amount, "Bytes"},
    events("RequestCount", OfBalancer::dispatched),
    events("IPv6RequestCount", OfBalancer::ipv6_requests),
    events("HTTPCode_ELB_3XX_Count", OfBalancer::elb_3xx),
    events("HTTPCode_ELB_4XX_Count", OfBalancer::elb_4xx),
    events("HTTPCode_ELB_5XX_Count", OfBalancer::elb_5xx),
    events("HTTPCode_ELB_500_Count", OfBalancer::elb_500),
    events("HTTPCode_ELB_502_Count", OfBalancer::elb_502),
    events("HTTPCode_ELB_503_Count", OfBalancer::elb_503),
    events("HTTPCode_ELB_504_Count", OfBalancer::elb_504),
    events("HTTP_Redirect_Count", OfBalancer::redirects),
    events("HTTP_Fixed_Response_Count", OfBalancer::fixed_responses),
    events("HTTP_Redirect_Url_Limit_Exceeded_Count", OfBalancer::redirect_url_limit),
    events("JWTValidationFailureCount", OfBalancer::jwt_refused),
    events("DesyncMitigationMode_NonCompliant_Request_Count", OfBalancer::desync_non_compliant),
    events("NonStickyRequestCount", OfBalancer::non_sticky),
    events("AppCookieNonStickinessCount", OfBalancer::app_cookie_non_sticky),
    events("HTTPCode_Target_2XX_Count", OfBalancer::target_2xx),
    events("HTTPCode_Target_3XX_Count", OfBalancer::target_3xx),
    events("HTTPCode_Target_4XX_Count", OfBalancer::target_4xx),
    events("HTTPCode_Target_5XX_Count", OfBalancer::target_5xx),
    events("TargetConnectionErrorCount", OfBalancer::target_connection_errors),
};

// Not by zone; by zone only.
constexpr Rule<OfBalancer> whole_balancer_rules[] = {
    {"RuleEvaluations", {OfBalancer::rules_evaluated, OfBalancer::count_}, Counting::amount}};
constexpr Rule<OfBalancer> zonal_balancer_rules[] = {
    events("DroppedInvalidHeaderRequestCount", OfBalancer::invalid_headers_dropped),
    events("ForwardedInvalidHeaderRequestCount", OfBalancer::invalid_headers_forwarded)};

// With the load balancer; with the group alone besides.
constexpr Rule<OfGroup> group_rules[] = {
    events("RequestCount", OfGroup::requests),
    events("HTTPCode_Target_2XX_Count", OfGroup::target_2xx),
    events("HTTPCode_Target_3XX_Count", OfGroup::target_3xx),
    events("HTTPCode_Target_4XX_Count", OfGroup::target_4xx),
    events("HTTPCode_Target_5XX_Count", OfGroup::target_5xx),
    events("TargetConnectionErrorCount", OfGroup::connection_errors),
    events("UnhealthyRoutingRequestCount", OfGroup::fail_open),
};
constexpr Rule<OfGroup> lone_group_rules[] = {events("GrpcRequestCount", OfGroup::grpc_requests)};

// "app/web/50dc6c495c0c9188" and "targetgroup/web/73e2d6bc24d8a067" of ARNs.
std::string dimension_of(const std::string& arn, std::string_view from) {
  const auto at = arn.find(from);
  return at == std::string::npos ? arn : arn.substr(at);
}

using Dimensions = std::map<std::string, std::string>;

Dimensions dimensions(const std::string& balancer, const std::string& group,
                      const std::string& zone) {
  Dimensions out;
  if (!balancer.empty()) out["LoadBalancer"] = dimension_of(balancer, "app/");
  if (!group.empty()) out["TargetGroup"] = dimension_of(group, "targetgroup/");
  if (!zone.empty()) out["AvailabilityZone"] = zone;
  return out;
}

// A counter that is below its last value has begun anew.
std::uint64_t since(std::uint64_t now, std::uint64_t before) {
  return now >= before ? now - before : now;
}

template <typename Values>
Values counts_since(Values now, const Values& before) {
  for (std::size_t i = 0; i < now.counts.size(); ++i)
    now.counts[i] = since(now.counts[i], before.counts[i]);
  return now;
}

telemetry::HistogramValues since(telemetry::HistogramValues now,
                                 const telemetry::HistogramValues& before) {
  if (now.samples < before.samples || now.sum_us < before.sum_us) return now;
  now -= before;
  return now;
}

class Samples {
 public:
  explicit Samples(std::int64_t time_s) : time_s_(time_s) {}

  void add(std::string_view metric, std::string_view unit, const Dimensions& of, Datum datum,
           Joining joining) {
    out_.push_back({{load_balancing_namespace, std::string(metric), of},
                    std::string(unit),
                    time_s_,
                    std::move(datum),
                    joining});
  }

  template <typename Name>
  void add(std::span<const Rule<Name>> rules, const Dimensions& of,
           const telemetry::Values<Name>& recent, const telemetry::Values<Name>& now) {
    for (const Rule<Name>& rule : rules) {
      const auto& values = rule.counting == Counting::gauge ? now : recent;
      double sum = 0;
      for (const Name source : rule.sources)
        if (source != Name::count_) sum += static_cast<double>(values[source]);
      if (sum <= 0) continue;
      if (rule.counting == Counting::events) {
        add(rule.metric, rule.unit, of, Datum::of(1, sum), Joining::samples);
      } else {
        add(rule.metric, rule.unit, of, {1, sum, sum, sum, {}},
            rule.counting == Counting::gauge ? Joining::gauge : Joining::total);
      }
    }
  }

  void add_times(const Dimensions& of, const telemetry::HistogramValues& times) {
    if (times.samples > 0)
      add("TargetResponseTime", "Seconds", of, Datum::of(times), Joining::samples);
  }

  std::vector<Sample> take() { return std::move(out_); }

 private:
  std::int64_t time_s_;
  std::vector<Sample> out_;
};

// How many targets of a group or of a zone of it are how.
struct Hosts {
  std::uint32_t healthy = 0;
  std::uint32_t unhealthy = 0;
  std::uint32_t registered = 0;
  std::uint32_t anomalous = 0;
  std::uint32_t mitigated = 0;
};

// By zone, and the whole under "". Draining and unused targets are neither (reference §7.4).
std::map<std::string, Hosts> hosts_of(const routing::TargetGroup& group) {
  std::map<std::string, Hosts> out;
  for (const routing::Target& target : group.targets) {
    if (!target.usable || target.draining || !target.health) continue;
    const auto state = target.health->state.load(std::memory_order_relaxed);
    const bool is_anomalous = target.health->is_anomalous.load(std::memory_order_relaxed);
    const bool is_mitigated = target.health->weight.load(std::memory_order_relaxed) <
                              routing::TargetHealthCell::full_weight;
    for (const std::string& zone : {target.zone, std::string()}) {
      Hosts& hosts = out[zone];
      ++hosts.registered;
      if (state == routing::HealthState::healthy) ++hosts.healthy;
      if (state == routing::HealthState::unhealthy) ++hosts.unhealthy;
      if (is_anomalous) ++hosts.anomalous;
      if (is_mitigated) ++hosts.mitigated;
      if (target.zone.empty()) break;
    }
  }
  return out;
}

std::map<std::string, std::string> balancers_of_groups(const routing::Snapshot& snapshot) {
  std::map<std::string, std::string> out;
  for (const routing::TargetGroup& group : snapshot.target_groups)
    if (!group.load_balancer_arn.empty()) out[group.arn] = group.load_balancer_arn;
  return out;
}

// What the requests are divided by for RequestCountPerTarget.
double divisor(const std::map<ZoneKey, Hosts>& hosts, const ZoneKey& key) {
  const auto found = hosts.find(key);
  if (found == hosts.end()) return 1;
  const Hosts& of = found->second;
  return std::max(of.healthy > 0 ? of.healthy : of.registered, 1U);
}

void add_group(Samples& out, const std::string& balancer, const ZoneKey& key,
               const GroupTotals& recent, double targets) {
  const Dimensions alone = dimensions({}, key.first, key.second);
  const double per_target = static_cast<double>(recent.counts[OfGroup::requests]) / targets;
  const Datum each{1, per_target, per_target, per_target, {}};
  const auto add_lone = [&](const Dimensions& of) {
    out.add<OfGroup>(lone_group_rules, of, recent.counts, recent.counts);
    if (per_target > 0) out.add("RequestCountPerTarget", "Count", of, each, Joining::total);
  };
  add_lone(alone);
  if (balancer.empty()) return;  // mirrored to only
  const Dimensions with = dimensions(balancer, key.first, key.second);
  add_lone(with);
  out.add<OfGroup>(group_rules, with, recent.counts, recent.counts);
  out.add_times(with, recent.response_time);
}

}  // namespace

std::vector<Sample> LoadBalancingMetrics::hosts(const routing::Snapshot& snapshot,
                                                std::int64_t now_s) {
  const auto balancers = balancers_of_groups(snapshot);
  Samples out(now_s);
  for (const routing::TargetGroup& group : snapshot.target_groups) {
    const auto balancer = balancers.find(group.arn);
    if (balancer == balancers.end()) continue;
    const bool is_weighted = group.policy.algorithm == routing::Algorithm::weighted_random;
    for (const auto& [zone, hosts] : hosts_of(group)) {
      const Dimensions of = dimensions(balancer->second, group.arn, zone);
      const auto add = [&](std::string_view metric, std::uint32_t count) {
        out.add(metric, "Count", of, Datum::of(count), Joining::samples);
      };
      add("HealthyHostCount", hosts.healthy);
      add("UnHealthyHostCount", hosts.unhealthy);
      if (!is_weighted) continue;
      add("AnomalousHostCount", hosts.anomalous);
      add("MitigatedHostCount", hosts.mitigated);
    }
  }
  return out.take();
}

std::vector<Sample> LoadBalancingMetrics::collect(telemetry::Totals totals,
                                                  const routing::Snapshot& snapshot,
                                                  std::int64_t now_s) {
  for (auto& [group, balancer] : balancers_of_groups(snapshot))
    balancer_of_group_[group] = balancer;
  // What came since the last look belongs to the minute of that look: one at a minute's end comes a
  // little late.
  Samples out(before_s_ == 0 ? now_s : before_s_);

  std::map<std::string, std::pair<telemetry::BalancerTotals, telemetry::BalancerTotals>> wholes;
  for (const auto& [key, now] : totals.balancers) {
    telemetry::BalancerTotals recent = now;
    if (const auto before = before_.balancers.find(key); before != before_.balancers.end()) {
      recent.counts = counts_since(now.counts, before->second.counts);
      recent.response_time = since(now.response_time, before->second.response_time);
    }
    auto& [whole_recent, whole_now] = wholes[key.first];
    whole_recent += recent;
    whole_now += now;
    if (key.second.empty()) continue;
    const Dimensions of = dimensions(key.first, {}, key.second);
    out.add<OfBalancer>(balancer_rules, of, recent.counts, now.counts);
    out.add<OfBalancer>(zonal_balancer_rules, of, recent.counts, now.counts);
    out.add_times(of, recent.response_time);
  }
  for (const auto& [arn, both] : wholes) {
    const Dimensions of = dimensions(arn, {}, {});
    out.add<OfBalancer>(balancer_rules, of, both.first.counts, both.second.counts);
    out.add<OfBalancer>(whole_balancer_rules, of, both.first.counts, both.second.counts);
    out.add_times(of, both.first.response_time);
  }

  std::map<ZoneKey, Hosts> hosts;
  for (const routing::TargetGroup& group : snapshot.target_groups)
    for (const auto& [zone, of] : hosts_of(group)) hosts[{group.arn, zone}] = of;
  std::map<std::string, GroupTotals> groups;
  const auto balancer_of = [&](const std::string& group) {
    const auto found = balancer_of_group_.find(group);
    return found == balancer_of_group_.end() ? std::string() : found->second;
  };
  for (const auto& [key, now] : totals.groups) {
    GroupTotals recent = now;
    if (const auto before = before_.groups.find(key); before != before_.groups.end()) {
      recent.counts = counts_since(now.counts, before->second.counts);
      recent.response_time = since(now.response_time, before->second.response_time);
    }
    groups[key.first] += recent;
    if (!key.second.empty())
      add_group(out, balancer_of(key.first), key, recent, divisor(hosts, key));
  }
  for (const auto& [arn, recent] : groups)
    add_group(out, balancer_of(arn), {arn, {}}, recent, divisor(hosts, {arn, {}}));
  std::erase_if(balancer_of_group_,
                [&](const auto& entry) { return !groups.contains(entry.first); });

  before_ = std::move(totals);
  before_s_ = now_s;
  return out.take();
}

}  // namespace weir::metrics
