// What a choice costs, by algorithm and size of the group, and what a change of a large group
// costs: compiling a snapshot and making a worker's chooser of it.
#include <fmt/core.h>

#include <array>
#include <string>
#include <utility>

#include "balancing/chooser.hpp"
#include "base/clock.hpp"

namespace weir {
namespace {

routing::SnapshotPtr compile(std::size_t targets, routing::SnapshotPtr& previous,
                             const std::string& key, const std::string& value) {
  static const std::map<std::string, model::LoadBalancer> load_balancers = {
      {"lb", [] {
         model::LoadBalancer out;
         out.arn = "lb";
         out.nodes = {{"us-east-1a", "subnet-a", "10.0.0.4"}};
         return out;
       }()}};
  static const std::map<std::string, model::Listener> listeners = {
      {"listener", [] {
         model::Listener out;
         out.arn = "listener";
         out.load_balancer_arn = "lb";
         out.bound_port = 80;
         out.default_actions = {{1, model::ForwardAction{{{"group", 1}}, false, 0}}};
         return out;
       }()}};
  static const std::map<std::string, model::Rule> rules;
  static const std::map<std::string, model::Instance> instances;
  model::TargetGroup group;
  group.arn = "group";
  group.target_type = "ip";
  if (!key.empty()) group.attributes[key] = value;
  const std::map<std::string, model::TargetGroup> groups = {{"group", group}};
  std::map<std::tuple<std::string, std::string, std::uint16_t>, model::Target> all;
  for (std::size_t i = 0; i < targets; ++i) {
    const std::string id = fmt::format("10.1.{}.{}", i / 250, i % 250 + 1);
    all[{"group", id, std::uint16_t{80}}] = {"group", id, 80, "all", 1, 0};
  }
  const std::int64_t begin = monotonic_ns();
  previous = routing::compile(
      {load_balancers, listeners, rules, groups, all, instances, "10.0.0.0/16"}, previous.get(), 1);
  const std::int64_t compiled = monotonic_ns();
  balancing::Chooser chooser(previous->target_groups[0], 1, 1);
  static_cast<void>(chooser.choose({0, 1}));
  const std::int64_t end = monotonic_ns();
  if (key.empty())
    fmt::print("{:>6} targets: compiled in {:.2f} ms, a worker's chooser made in {:.2f} ms\n",
               targets, static_cast<double>(compiled - begin) / 1e6,
               static_cast<double>(end - compiled) / 1e6);
  return previous;
}

void measure(const routing::TargetGroup& group, std::string_view name) {
  constexpr int choices = 1'000'000;
  balancing::Chooser chooser(group, 1, 1);
  std::uint64_t sum = 0;
  static_cast<void>(chooser.choose({0, 1}));
  const std::int64_t begin = monotonic_ns();
  for (int i = 0; i < choices; ++i) {
    const auto target = chooser.choose({0, 1});
    sum += *target;
    chooser.load(*target).outstanding.set(static_cast<std::uint32_t>(i % 7));
  }
  const auto ns = static_cast<double>(monotonic_ns() - begin) / choices;
  fmt::print("{:>6} targets, {:<27} {:6.1f} ns{}\n", group.targets.size(), name, ns,
             sum == 0 ? " " : "");
}

}  // namespace
}  // namespace weir

int main() {
  using Attribute = std::pair<std::string, std::string>;
  const std::string algorithm = "load_balancing.algorithm.type";
  for (const std::size_t targets : {3U, 100U, 1000U, 10'000U}) {
    weir::routing::SnapshotPtr previous;
    weir::compile(targets, previous, "", "");
    weir::compile(targets, previous, "", "");
    for (const auto& [key, value] :
         {Attribute(algorithm, "round_robin"), Attribute(algorithm, "least_outstanding_requests"),
          Attribute(algorithm, "weighted_random"),
          Attribute("weir.load_balancing.algorithm", "p2c_ewma")}) {
      const auto snapshot = weir::compile(targets, previous, key, value);
      weir::measure(snapshot->target_groups[0], value);
    }
  }
}
