// What a change costs among many rules or many targets: compiling the snapshot after it, from the
// one before. Build and run: ninja bench_snapshot_change && src/routing/bench_snapshot_change
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "routing/changes.hpp"
#include "routing/snapshot.hpp"

namespace {

using namespace weir;

struct Resources {
  std::map<std::string, model::LoadBalancer> load_balancers;
  std::map<std::string, model::Listener> listeners;
  std::map<std::string, model::Rule> rules;
  std::map<std::string, model::TargetGroup> groups;
  std::map<std::tuple<std::string, std::string, std::uint16_t>, model::Target> targets;
  std::map<std::string, model::Instance> instances;

  Resources() {
    load_balancers["lb"].arn = "lb";
    load_balancers["lb"].nodes = {{"us-east-1a", "subnet-a", "10.0.0.4"}};
    model::Listener& listener = listeners["listener"];
    listener.arn = "listener";
    listener.load_balancer_arn = "lb";
    listener.bound_port = 80;
    listener.default_actions = {{1, model::ForwardAction{{{"group", 1}}, false, 0}}};
    groups["group"].arn = "group";
    groups["group"].target_type = "ip";
  }
  routing::Changes add_rule(int n) {
    const std::string arn = fmt::format(
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/web/"
        "50dc6c495c0c9188/f2f7dc8efc522ab2/{:016x}",
        n * 2654435761U);
    model::Rule& rule = rules[arn];
    rule.arn = arn;
    rule.listener_arn = "listener";
    rule.priority = n;
    rule.conditions.emplace_back().values = {fmt::format("/service-{}/*", n)};
    rule.actions = listeners["listener"].default_actions;
    return {{{arn, "listener"}}, {}, {}, false};
  }
  routing::Changes add_target(int n) {
    const std::string id = fmt::format("10.1.{}.{}", n / 250, n % 250 + 1);
    targets[{"group", id, std::uint16_t{80}}] = {"group", id, 80, "all", 1, 0};
    return {{}, {}, {{"group", id, std::uint16_t{80}}}, false};
  }
  routing::SnapshotPtr compile(const routing::Snapshot* previous,
                               const routing::Changes& changes = {}) const {
    return routing::compile(
        {load_balancers, listeners, rules, groups, targets, instances, "10.0.0.0/16"}, previous, 1,
        &changes);
  }
};

// Median of milliseconds, of changes one after the other.
double measure(Resources& resources, const std::function<routing::Changes(int)>& change) {
  routing::SnapshotPtr current = resources.compile(nullptr);
  std::vector<double> seen;
  for (int i = 0; i < 31; ++i) {
    const routing::Changes changes = change(i);
    const auto begin = std::chrono::steady_clock::now();
    current = resources.compile(current.get(), changes);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    seen.push_back(took.count());
  }
  std::ranges::sort(seen);
  return seen[seen.size() / 2];
}

}  // namespace

int main() {
  fmt::print("{:>8}{:>16}{:>16}{:>16}{:>16}\n", "ms", "a rule more", "a rule changed",
             "a target more", "a target goes");
  for (const int count : {1, 100, 1000, 10'000}) {
    Resources by_rules, by_targets;
    for (int n = 1; n <= count; ++n) {
      by_rules.add_rule(n);
      by_targets.add_target(n);
    }
    const auto middle = std::next(by_rules.rules.begin(), count / 2);
    const double more = measure(by_rules, [&](int i) { return by_rules.add_rule(20'000 + i); });
    const double changed = measure(by_rules, [&](int i) {
      middle->second.conditions[0].values = {fmt::format("/other-{}", i)};
      return routing::Changes{{{middle->first, "listener"}}, {}, {}, false};
    });
    const double target_more =
        measure(by_targets, [&](int i) { return by_targets.add_target(20'000 + i); });
    const double target_goes = measure(by_targets, [&](int) {
      by_targets.targets.begin()->second.draining_until_ms ^= 1;
      return routing::Changes{{}, {}, {by_targets.targets.begin()->first}, false};
    });
    fmt::print("{:>8}{:>16.2f}{:>16.2f}{:>16.2f}{:>16.2f}\n", count, more, changed, target_more,
               target_goes);
  }
}
