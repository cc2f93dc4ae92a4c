// The index follows the records through every transaction, those that fail included.
#include "control/index.hpp"

#include <gtest/gtest.h>

#include <random>

#include "control/references.hpp"
#include "fakes.hpp"

namespace weir::control {
namespace {

Index rebuilt(const State& state) {
  Index index;
  const auto add_all = [&](const auto& records) {
    for (const auto& [key, record] : records) index.add(record);
  };
  add_all(state.load_balancers);
  add_all(state.listeners);
  add_all(state.rules);
  add_all(state.target_groups);
  add_all(state.targets);
  add_all(state.trust_stores);
  return index;
}

// One random change among a few names, so that records are made, changed and erased often.
class RandomChange {
 public:
  void operator()(Draft& draft) {
    const std::string arn = "arn:" + std::to_string(number(6));
    switch (number(11)) {
      case 0:
        return draft.put(named<model::LoadBalancer>(arn));
      case 1:
        return draft.put(target_group(arn));
      case 2:
        return draft.put(listener(arn));
      case 3:
        return draft.put(rule(arn));
      case 4:
        return draft.put(target(arn));
      case 5:
        return draft.put(named<model::TrustStore>(arn));
      case 6:
        return draft.erase_load_balancer(arn);
      case 7:
        return draft.erase_listener(arn);
      case 8:
        return draft.erase_rule(arn);
      case 9:
        return draft.erase_target_group(arn);
      default:
        return draft.erase_target({arn, name(), static_cast<std::uint16_t>(number(2))});
    }
  }
  int number(int below) { return std::uniform_int_distribution(0, below - 1)(random_); }

 private:
  std::string name() { return "n" + std::to_string(number(4)); }
  template <typename Record>
  Record named(const std::string& arn) {
    Record out;
    out.arn = arn;
    out.name = name();
    return out;
  }
  model::TargetGroup target_group(const std::string& arn) {
    auto out = named<model::TargetGroup>(arn);
    if (number(2) == 0)
      out.attributes["weir.mirror.target_group_arn"] = "arn:" + std::to_string(number(6));
    return out;
  }
  model::Listener listener(const std::string& arn) {
    model::Listener out;
    out.arn = arn;
    out.load_balancer_arn = "arn:" + std::to_string(number(3));
    out.port = static_cast<std::uint16_t>(number(3));
    out.default_actions = {forward()};
    return out;
  }
  model::Rule rule(const std::string& arn) {
    model::Rule out;
    out.arn = arn;
    out.listener_arn = "arn:" + std::to_string(number(3));
    out.priority = number(4);
    out.actions = {forward()};
    return out;
  }
  model::Target target(const std::string& arn) {
    model::Target out;
    out.target_group_arn = arn;
    out.id = name();
    out.port = static_cast<std::uint16_t>(number(2));
    out.draining_until_ms = number(2);
    return out;
  }
  model::Action forward() {
    model::ForwardAction action;
    for (int i = number(3); i >= 0; --i) {
      action.target_groups.push_back({"arn:" + std::to_string(number(4)), 1});
    }
    return {1, std::move(action)};
  }
  std::mt19937 random_{4711};
};

TEST(Index, IsWhatTheRecordsSayAfterAnyTransaction) {
  const auto disk = std::make_shared<Disk>();
  const auto registry = open_registry(disk);
  RandomChange change;
  for (int round = 0; round < 800; ++round) {
    const bool fails = change.number(3) == 0;
    const auto done = registry->update([&](Draft& draft) -> Status {
      for (int i = change.number(6); i >= 0; --i) change(draft);
      if (fails) return fail("Refused", "");
      return {};
    });
    ASSERT_EQ(done.has_value(), !fails);
    registry->read([&](const State& state) {
      if (round % 10 == 0) {
        for (const auto& [arn, listener] : state.listeners) {
          for (const model::Rule* rule : rules_of(state, arn)) EXPECT_EQ(rule->listener_arn, arn);
        }
        EXPECT_EQ(rebuilt(state).draining(), state.index.draining());
        EXPECT_EQ(rebuilt(state).registrations(), state.index.registrations());
      }
      for (int i = 0; i < 6; ++i) {
        const std::string arn = "arn:" + std::to_string(i);
        const Index fresh = rebuilt(state);
        ASSERT_EQ(fresh.listeners_of(arn), state.index.listeners_of(arn)) << round;
        ASSERT_EQ(fresh.rules_of(arn), state.index.rules_of(arn)) << round;
        ASSERT_EQ(fresh.groups_of(arn), state.index.groups_of(arn)) << round;
        ASSERT_EQ(fresh.listeners_forwarding_to(arn), state.index.listeners_forwarding_to(arn));
        ASSERT_EQ(fresh.mirrored_to(arn), state.index.mirrored_to(arn)) << round;
        ASSERT_EQ(fresh.targets_of(arn), state.index.targets_of(arn)) << round;
      }
    });
  }
  // A daemon that starts again has the same one.
  const auto again = open_registry(disk);
  const State before = copy_of(*registry);
  const State after = copy_of(*again);
  EXPECT_EQ(before.index.registrations(), after.index.registrations());
  EXPECT_EQ(before.rules.size(), after.rules.size());
}

TEST(Index, ForgetsWhatIsErased) {
  Index index;
  model::Target target;
  target.target_group_arn = "arn:g";
  target.id = "i-1";
  index.add(target);
  index.remove(target);
  EXPECT_EQ(index, Index());
}

}  // namespace
}  // namespace weir::control
