#include "balancing/chooser.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <thread>

namespace weir::balancing {
namespace {

using routing::HealthState;

constexpr ChoiceFacts now{0, 1'000'000};

routing::TargetGroup make_group(std::size_t targets, HealthState state = HealthState::healthy) {
  routing::TargetGroup out;
  out.health_epoch = std::make_shared<std::atomic<std::uint32_t>>();
  for (std::size_t i = 0; i < targets; ++i) {
    out.targets.emplace_back().health = std::make_shared<routing::TargetHealthCell>();
    out.targets.back().health->state = state;
  }
  return out;
}

void set_health(routing::TargetGroup& group, std::size_t target, HealthState state) {
  group.targets[target].health->state.store(state, std::memory_order_relaxed);
  group.health_epoch->fetch_add(1, std::memory_order_release);
}

std::map<std::uint32_t, int> counts(Chooser& chooser, int choices) {
  std::map<std::uint32_t, int> out;
  for (int i = 0; i < choices; ++i) ++out[chooser.choose(now).value()];
  return out;
}

TEST(Chooser, SharesAreExactlyEven) {
  const auto group = make_group(9);
  Chooser chooser(group, 1, 1);
  const auto shares = counts(chooser, 9 * 7);
  EXPECT_EQ(shares.size(), 9U);
  for (const auto& [target, share] : shares) EXPECT_EQ(share, 7) << target;
}

TEST(Chooser, NothingRegisteredOrInUseIsNothingChosen) {
  auto group = make_group(0);
  EXPECT_EQ(Chooser(group, 1, 1).choose(now), std::nullopt);
  EXPECT_EQ(Chooser(group, 1, 1).choose_other(0, now), std::nullopt);
  group = make_group(2);
  group.targets[0].usable = false;
  group.targets[1].draining = true;
  EXPECT_EQ(Chooser(group, 1, 1).choose(now), std::nullopt);
}

TEST(Chooser, OnlyHealthyTargetsAsLongAsThereIsOne) {
  auto group = make_group(4);
  Chooser chooser(group, 1, 5);
  EXPECT_EQ(counts(chooser, 8).size(), 4U);
  set_health(group, 1, HealthState::unhealthy);
  set_health(group, 2, HealthState::initial);
  EXPECT_EQ(counts(chooser, 8), (std::map<std::uint32_t, int>{{0, 4}, {3, 4}}));
  set_health(group, 0, HealthState::unhealthy);
  EXPECT_EQ(counts(chooser, 8), (std::map<std::uint32_t, int>{{3, 8}}));
  set_health(group, 1, HealthState::healthy);
  EXPECT_EQ(counts(chooser, 8), (std::map<std::uint32_t, int>{{1, 4}, {3, 4}}));
}

TEST(Chooser, FailsOpenWhereNoneIsHealthy) {
  auto group = make_group(4, HealthState::unhealthy);
  group.targets[0].draining = true;
  group.targets[1].usable = false;
  Chooser chooser(group, 1, 5);
  EXPECT_EQ(counts(chooser, 8), (std::map<std::uint32_t, int>{{2, 4}, {3, 4}}));
}

TEST(Chooser, ADrainingOrUnusedTargetTakesNothingThoughHealthy) {
  auto group = make_group(3);
  group.targets[0].draining = true;
  group.targets[2].usable = false;
  Chooser chooser(group, 1, 5);
  EXPECT_EQ(counts(chooser, 5), (std::map<std::uint32_t, int>{{1, 5}}));
}

TEST(Chooser, ARetryGoesElsewhere) {
  auto group = make_group(3);
  Chooser chooser(group, 1, 5);
  for (int i = 0; i < 30; ++i) {
    const std::uint32_t failed = chooser.choose(now).value();
    EXPECT_NE(chooser.choose_other(failed, now), failed);
  }
  set_health(group, 0, HealthState::unhealthy);
  set_health(group, 1, HealthState::unhealthy);
  EXPECT_EQ(chooser.choose_other(2, now), 2U) << "there is no other";
}

// The seeds are fixed, so the sum is the same each time.
double chi_squared(const std::map<std::uint32_t, int>& seen, std::size_t kinds) {
  const int total = std::accumulate(seen.begin(), seen.end(), 0,
                                    [](int sum, const auto& one) { return sum + one.second; });
  const double expected = static_cast<double>(total) / static_cast<double>(kinds);
  double sum = 0;
  for (std::uint32_t i = 0; i < kinds; ++i) {
    const double off = (seen.contains(i) ? seen.at(i) : 0) - expected;
    sum += off * off / expected;
  }
  return sum;
}

TEST(Chooser, ManyWorkersWithFewRequestsAreEvenTogether) {
  const auto group = make_group(9);
  std::map<std::uint32_t, int> seen;
  for (std::uint64_t worker = 0; worker < 900; ++worker) {
    Chooser chooser(group, 1, worker);
    for (int i = 0; i < 2; ++i) ++seen[chooser.choose(now).value()];
  }
  EXPECT_LT(chi_squared(seen, 9), 26.1) << "8 degrees of freedom, p = 0.001";
}

// A writer flips health while a reader chooses: each choice is a target, and the last state counts.
TEST(Chooser, HealthChangesWhileChoosing) {
  auto group = make_group(5);
  std::atomic<bool> done = false;
  std::thread checker([&] {
    for (int i = 0; i < 20'000; ++i) {
      set_health(group, static_cast<std::size_t>(i % 5),
                 i % 2 == 0 ? HealthState::unhealthy : HealthState::healthy);
    }
    for (std::size_t i = 0; i < 5; ++i)
      set_health(group, i, i == 3 ? HealthState::healthy : HealthState::unhealthy);
    done = true;
  });
  Chooser chooser(group, 1, 1);
  while (!done) EXPECT_LT(chooser.choose(now).value(), 5U);
  checker.join();
  EXPECT_EQ(counts(chooser, 4), (std::map<std::uint32_t, int>{{3, 4}}));
}

routing::Forward weights(std::vector<std::uint32_t> each) {
  routing::Forward out;
  for (const std::uint32_t weight : each) {
    out.groups.push_back({static_cast<std::uint32_t>(out.groups.size()), weight});
    out.weight_sum += weight;
  }
  return out;
}

TEST(WeightedChooser, SharesAreExactOverEachPeriodFromAnySeed) {
  const auto forward = weights({5, 0, 3, 1});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    WeightedChooser chooser(forward, seed);
    for (int period = 0; period < 3; ++period) {
      std::map<std::uint32_t, int> seen;
      for (int i = 0; i < 9; ++i) ++seen[chooser.choose().value()];
      EXPECT_EQ(seen, (std::map<std::uint32_t, int>{{0, 5}, {2, 3}, {3, 1}}));
    }
  }
}

TEST(WeightedChooser, EqualWeightsAlternate) {
  const auto forward = weights({999, 999});
  WeightedChooser chooser(forward, 3);
  auto previous = chooser.choose();
  for (int i = 0; i < 10; ++i) {
    const auto next = chooser.choose();
    EXPECT_NE(next, previous);
    previous = next;
  }
}

TEST(WeightedChooser, OneGroupAndNone) {
  const auto one = weights({7});
  EXPECT_EQ(WeightedChooser(one).choose(), 0U);
  const auto zeros = weights({0, 0});
  EXPECT_EQ(WeightedChooser(zeros, 4).choose(), std::nullopt);
  const auto none = weights({});
  EXPECT_EQ(WeightedChooser(none, 4).choose(), std::nullopt);
}

TEST(WeightedChooser, FirstChoicesOfManyWorkersFollowTheWeights) {
  const auto forward = weights({1, 1, 2});
  std::map<std::uint32_t, int> seen;
  for (std::uint64_t worker = 0; worker < 4000; ++worker)
    ++seen[WeightedChooser(forward, worker).choose().value()];
  EXPECT_NEAR(seen[0], 1000, 100);
  EXPECT_NEAR(seen[1], 1000, 100);
  EXPECT_NEAR(seen[2], 2000, 150);
}

}  // namespace
}  // namespace weir::balancing
