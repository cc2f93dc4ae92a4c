// Snapshots compiled from the one before and a list of changes are those that are compiled from
// all: random changes, each followed by a comparison. The seed is printed with a failure and can be
// given back in WEIR_TEST_SEED.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "requests.hpp"
#include "routing/changes.hpp"
#include "routing/rule_list.hpp"
#include "world.hpp"

namespace weir::routing {
namespace {

using test::World;

std::string text_of(const Snapshot& snapshot, const Action& action) {
  std::string out;
  for (const auto& each : std::get<Forward>(action).groups)
    out += fmt::format(" {}:{}", snapshot.target_groups[each.target_group].arn, each.weight);
  return out;
}

// All that a change may touch. Of a health cell whether it is one of `before`.
std::string text_of(const Snapshot& snapshot, const Snapshot& before) {
  std::set<const void*> cells;
  for (const TargetGroup& group : before.target_groups) {
    cells.insert(group.health_epoch.get());
    for (const Target& target : group.targets) cells.insert(target.health.get());
  }
  std::string out;
  for (const Listener& listener : snapshot.listeners) {
    out += fmt::format("listener {}{}\n", listener.arn, text_of(snapshot, listener.default_action));
    if (!listener.rules) continue;
    for (const RulePtr& rule : listener.rules->rules())
      out += fmt::format("  {} {}{}\n", rule->priority, rule->arn, text_of(snapshot, rule->action));
    out += fmt::format("  groups {}\n", fmt::join(listener.rules->groups(), " "));
  }
  for (const TargetGroup& group : snapshot.target_groups) {
    out += fmt::format("group {} {} of '{}' {} {} {} mirror {} {} {}\n", group.index, group.arn,
                       group.load_balancer_arn, group.in_use, group.nodes, group.check_source,
                       group.mirror.target_group, group.mirror.percent,
                       cells.contains(group.health_epoch.get()));
    if (group.by_identity) {
      for (const auto& [identity, index] : *group.by_identity)
        out += fmt::format("  {} is {}\n", identity, index);
    }
    for (const Target& target : group.targets)
      out += fmt::format("  {}:{} {} {} node {} {} draining {} usable {} {} cell {}\n", target.id,
                         target.port, target.address, target.zone, target.node,
                         target.registered_at_ms, target.draining, target.usable,
                         target.unused_reason, cells.contains(target.health.get()));
  }
  return out;
}

class RandomChanges {
 public:
  explicit RandomChanges(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 150; ++i) add_rule();
    world.add_listener("l2", "lb", 81, 8081, World::forward({{"g1", 1}}));
  }

  // Some changes at once, as a burst of commits is.
  Changes next() {
    changes_ = {};
    for (std::size_t left = 1 + below(4); left > 0; --left) one();
    return changes_;
  }
  std::size_t below(std::size_t end) { return random_() % end; }

  World world;

 private:
  void one() {
    switch (below(16)) {
      case 0:
      case 1:
      case 2:
        return add_rule();
      case 3:
      case 4:
        return erase_rule(some(world.rules)->first);
      case 5:
        some_rule().conditions = {test::path({path()})};
        return;
      case 6:
        some_rule().actions = {forward()};
        return;
      case 7:
        return swap_priorities();
      case 8:
      case 9:
        return add_target();
      case 10: {
        if (world.targets.size() < 2) return;
        const auto target = some(world.targets);
        changes_.targets.insert(target->first);
        world.targets.erase(target);
        return;
      }
      case 11: {
        const auto target = some(world.targets);
        changes_.targets.insert(target->first);
        target->second.draining_until_ms = below(2) == 0 ? 5 : 0;
        return;
      }
      case 12: {
        auto& [arn, group] = *some(world.target_groups);
        group.attributes = {{"stickiness.enabled", below(2) == 0 ? "true" : "false"},
                            {"stickiness.type", "lb_cookie"},
                            {"weir.mirror.target_group_arn", some(world.target_groups)->first},
                            {"weir.mirror.percent", "10"}};
        changes_.target_groups.insert(arn);
        return;
      }
      case 13:
        return below(2) == 0 ? add_group() : erase_group();
      case 14:
        some(world.instances)->second.state =
            below(2) == 0 ? model::InstanceState::running : model::InstanceState::stopped;
        changes_.all_targets = true;
        return;
      default:
        some(world.listeners)->second.default_actions = {forward()};  // is always looked at
    }
  }

  template <typename Map>
  typename Map::iterator some(Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(below(map.size())));
  }
  std::string path() { return fmt::format("/{}{}", below(40), below(3) == 0 ? "/*" : ""); }
  model::Action forward() {
    return World::forward(
        {{some(world.target_groups)->first, 1}, {"g1", static_cast<int>(below(3))}});
  }
  model::Rule& some_rule() {
    auto& [arn, rule] = *some(world.rules);
    changes_.rules[arn] = rule.listener_arn;
    return rule;
  }
  void add_rule() {
    const std::string arn = fmt::format("rule-{}", ++made_);
    const std::string listener = below(5) == 0 ? "l2" : "l";
    world.add_rule(arn, listener, free_priority(), test::path({path()}), forward());
    changes_.rules[arn] = listener;
  }
  int free_priority() {
    while (true) {
      const int drawn = 1 + static_cast<int>(below(2000));
      const auto has_it = [&](const auto& each) { return each.second.priority == drawn; };
      if (std::ranges::none_of(world.rules, has_it)) return drawn;
    }
  }
  void erase_rule(const std::string& arn) {
    changes_.rules[arn] = world.rules.at(arn).listener_arn;
    if (world.rules.size() > 100) world.rules.erase(arn);
  }
  void swap_priorities() { std::swap(some_rule().priority, some_rule().priority); }
  void add_target() {
    const std::string id = below(2) == 0 ? "i-1" : "i-2";
    const auto port = static_cast<std::uint16_t>(80 + below(20));
    const std::string group = some(world.target_groups)->first;
    world.add_target(group, id, port);
    world.targets.at({group, id, port}).registered_at_ms = static_cast<std::int64_t>(below(1000));
    changes_.targets.insert({group, id, port});
  }
  void add_group() {
    const std::string arn = fmt::format("g{}", below(9));
    world.add_group(arn);
    changes_.target_groups.insert(arn);
  }
  void erase_group() {
    const std::string arn = some(world.target_groups)->first;
    if (world.target_groups.size() < 3 || arn == "g1" || arn == "g2") return;
    const auto uses = [&](const std::vector<model::Action>& actions) {
      const auto& groups = std::get<model::ForwardAction>(actions.at(0).config).target_groups;
      return std::ranges::any_of(groups,
                                 [&](const auto& each) { return each.target_group_arn == arn; });
    };
    for (auto& [name, rule] : world.rules) {
      if (!uses(rule.actions)) continue;
      rule.actions = {World::forward({{"g2", 1}})};
      changes_.rules[name] = rule.listener_arn;
    }
    for (auto& [name, listener] : world.listeners)
      listener.default_actions = {World::forward({{"g2", 1}})};
    std::erase_if(world.targets, [&](const auto& each) {
      if (std::get<0>(each.first) != arn) return false;
      changes_.targets.insert(each.first);
      return true;
    });
    world.target_groups.erase(arn);
    changes_.target_groups.insert(arn);
  }

  std::mt19937_64 random_;
  Changes changes_;
  int made_ = 0;
};

void expect_same_choices(const Snapshot& one, const Snapshot& other) {
  for (int i = 0; i < 40; ++i) {
    test::Request request;
    request.path = fmt::format("/{}{}", i, i % 2 == 0 ? "" : "/x");
    const http::RequestHead head = request.head();
    for (const std::uint16_t port : {std::uint16_t{8080}, std::uint16_t{8081}}) {
      const RequestFacts facts{head, "192.0.2.1"};
      const Choice chosen = one.find_listener(port, "x")->choose(facts);
      const Choice expected = other.find_listener(port, "x")->choose(facts);
      ASSERT_EQ(chosen.priority, expected.priority) << request.path;
      ASSERT_EQ(chosen.rules_evaluated, expected.rules_evaluated) << request.path;
      ASSERT_EQ(text_of(one, chosen.action), text_of(other, expected.action)) << request.path;
    }
  }
}

TEST(Incremental, IsWhatCompilingAllGives) {
  const char* given = std::getenv("WEIR_TEST_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  SCOPED_TRACE("WEIR_TEST_SEED=" + std::to_string(seed));
  RandomChanges random(seed);
  SnapshotPtr current = random.world.compiled();
  std::size_t filed_before = 0;
  for (int round = 0; round < 150; ++round) {
    const Changes changes = random.next();
    const SnapshotPtr next = random.world.compiled(current.get(), &changes);
    ASSERT_EQ(text_of(*next, *current), text_of(*random.world.compiled(current.get()), *current));
    expect_same_choices(*next, *random.world.compiled());
    const std::size_t rules = next->listeners[0].rules->rules().size();
    filed_before += next->listeners[0].rules->filed_before() < rules ? 1 : 0;
    current = next;
  }
  EXPECT_GT(filed_before, 40U) << "lists made anew each time prove nothing";
}

TEST(Incremental, AListThatGrowsRuleByRuleIsFiledAnewSeldom) {
  World world;
  SnapshotPtr current = world.compiled();
  std::size_t anew = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string arn = fmt::format("rule-{}", i);
    world.add_rule(arn, "l", 100 + i, test::path({"/" + arn}), World::forward({{"g1", 1}}));
    const Changes changes{{{arn, "l"}}, {}, {}, false};
    const SnapshotPtr next = world.compiled(current.get(), &changes);
    const RuleList& rules = *next->listeners[0].rules;
    ASSERT_EQ(rules.rules().size(), static_cast<std::size_t>(i) + 3);
    anew += rules.filed_before() == rules.rules().size() ? 1 : 0;
    current = next;
  }
  EXPECT_LT(anew, 60U) << "2 sqrt(n) rules more each time";
}

TEST(Incremental, WhatDidNotChangeIsTheSameObject) {
  World world;
  const SnapshotPtr first = world.compiled();
  world.add_target("g1", "i-2", 81);
  const Changes changes{{}, {}, {{"g1", "i-2", std::uint16_t{81}}}, false};
  const SnapshotPtr second = world.compiled(first.get(), &changes);
  EXPECT_EQ(second->listeners[0].rules, first->listeners[0].rules);
  EXPECT_EQ(second->target_groups[0].targets.size(), 2U);
}

}  // namespace
}  // namespace weir::routing
