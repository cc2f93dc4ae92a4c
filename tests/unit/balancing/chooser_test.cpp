#include "balancing/chooser.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <thread>

#include "../edit_target.hpp"
#include "balancing/latency.hpp"
#include "balancing/outcome.hpp"

namespace weir::balancing {
namespace {

using routing::HealthState;

constexpr ChoiceFacts now{0, 1'000'000};

routing::TargetGroup make_group(std::size_t targets, HealthState state = HealthState::healthy) {
  routing::TargetGroup out;
  out.health_epoch = std::make_shared<std::atomic<std::uint32_t>>();
  for (std::size_t i = 0; i < targets; ++i) {
    routing::Target target;
    target.health = std::make_shared<routing::TargetHealthCell>();
    target.health->state = state;
    out.targets.push_back(std::move(target));
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
  edit(group.targets, 0, [](auto& it) { it.usable = false; });
  edit(group.targets, 1, [](auto& it) { it.draining = true; });
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
  edit(group.targets, 0, [](auto& it) { it.draining = true; });
  edit(group.targets, 1, [](auto& it) { it.usable = false; });
  Chooser chooser(group, 1, 5);
  EXPECT_EQ(counts(chooser, 8), (std::map<std::uint32_t, int>{{2, 4}, {3, 4}}));
}

TEST(Chooser, ADrainingOrUnusedTargetTakesNothingThoughHealthy) {
  auto group = make_group(3);
  edit(group.targets, 0, [](auto& it) { it.draining = true; });
  edit(group.targets, 2, [](auto& it) { it.usable = false; });
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

routing::TargetGroup make_group(std::size_t targets, routing::Algorithm algorithm) {
  auto group = make_group(targets);
  group.policy.algorithm = algorithm;
  return group;
}

TEST(Chooser, LeastOutstandingRequestsTakesTheFewestAndEqualsInTurn) {
  const auto group = make_group(4, routing::Algorithm::least_outstanding_requests);
  Chooser chooser(group, 1, 5);
  chooser.load(0).outstanding.set(3);
  chooser.load(1).outstanding.set(1);
  chooser.load(2).outstanding.set(2);
  chooser.load(3).outstanding.set(1);
  EXPECT_EQ(counts(chooser, 10), (std::map<std::uint32_t, int>{{1, 5}, {3, 5}}));
  chooser.load(2).outstanding.set(0);
  EXPECT_EQ(counts(chooser, 10), (std::map<std::uint32_t, int>{{2, 10}}));
}

// Each chosen target keeps its request: of many targets none gets a second before nearly all have
// one.
TEST(Chooser, LeastOutstandingRequestsOfManyTargetsStaysEven) {
  const auto group = make_group(1000, routing::Algorithm::least_outstanding_requests);
  Chooser chooser(group, 1, 5);
  for (int i = 0; i < 3000; ++i) chooser.load(chooser.choose(now).value()).outstanding.add(1);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    EXPECT_GE(chooser.load(i).outstanding.get(), 2U);
    EXPECT_LE(chooser.load(i).outstanding.get(), 4U);
  }
}

// Each worker's chooser is asked in turn and each chosen target keeps its request, as with few
// connections spread over the workers: all are as busy as the others at any moment.
TEST(Chooser, LeastOutstandingRequestsCountsThoseOfAllWorkers) {
  for (const std::size_t workers : {2U, 4U}) {
    const auto group = make_group(8, routing::Algorithm::least_outstanding_requests);
    std::vector<Chooser> choosers;
    for (std::uint64_t worker = 0; worker < workers; ++worker)
      choosers.emplace_back(group, worker, worker);
    for (std::size_t request = 0; request < 8 * 5; ++request) {
      Chooser& chooser = choosers[request * 7 % workers];
      const std::uint32_t chosen = chooser.choose(now).value();
      const auto all_of = [&](std::uint32_t target) {
        return group.targets[target].health->loads.sum(&routing::TargetLoad::outstanding);
      };
      for (std::uint32_t target = 0; target < 8; ++target)
        ASSERT_LE(all_of(chosen), all_of(target)) << workers << " workers, request " << request;
      chooser.load(chosen).outstanding.add(1);
    }
  }
}

TEST(Chooser, LeastOutstandingRequestsReadsABoundedNumberOfCells) {
  const auto group =
      make_group(Chooser::window_max, routing::Algorithm::least_outstanding_requests);
  constexpr std::uint64_t workers = 64;
  std::vector<Chooser> choosers;
  for (std::uint64_t worker = 0; worker < workers; ++worker)
    choosers.emplace_back(group, worker, worker);
  for (std::uint32_t i = 0; i < Chooser::window_max; ++i) choosers[0].load(i).outstanding.set(1);
  choosers[0].load(77).outstanding.set(0);
  // A window of 32 targets moves over all of them: within four choices it comes to the idle one.
  int found = 0;
  for (int i = 0; i < 4; ++i) found += choosers[1].choose(now) == 77U ? 1 : 0;
  EXPECT_GE(found, 1);
  EXPECT_LT(found, 4) << "all cells were read";
}

TEST(Chooser, RandomIsEvenAndFollowsMitigatedWeights) {
  auto group = make_group(4, routing::Algorithm::weighted_random);
  Chooser even(group, 1, 7);
  EXPECT_LT(chi_squared(counts(even, 8000), 4), 16.3) << "3 degrees of freedom, p = 0.001";
  group.targets[0].health->weight = routing::TargetHealthCell::full_weight / 4;
  Chooser unmitigated(group, 1, 7);
  EXPECT_NEAR(counts(unmitigated, 8000)[0], 2000, 200);
  group.policy.mitigates_anomalies = true;
  Chooser mitigated(group, 1, 7);
  EXPECT_NEAR(counts(mitigated, 13'000)[0], 1000, 150) << "a quarter of the others' 4000";
}

TEST(Chooser, SlowStartGrowsLinearlyAndEnds) {
  auto group = make_group(3);
  group.policy.slow_start_ms = 100'000;
  group.targets[1].health->slow_start_from_ms = now.now_ms;
  for (const auto& [age_ms, share] :
       {std::pair(10'000, 0.1), std::pair(50'000, 0.5), std::pair(100'000, 1.0)}) {
    Chooser chooser(group, 1, 3);
    const ChoiceFacts later{0, now.now_ms + age_ms};
    std::map<std::uint32_t, int> seen;
    for (int i = 0; i < 21'000; ++i) ++seen[chooser.choose(later).value()];
    const double full_share = 21'000 / (2 + share);
    EXPECT_NEAR(seen[1], full_share * share, full_share * 0.05) << age_ms;
    EXPECT_NEAR(seen[0], full_share, full_share * 0.03) << age_ms;
    EXPECT_NEAR(seen[2], full_share, full_share * 0.03) << age_ms;
  }
}

TEST(Chooser, P2cPrefersTheFasterAndTheLessBusy) {
  const auto group = make_group(2, routing::Algorithm::p2c_ewma);
  Chooser chooser(group, 1, 3);
  note_latency(chooser.load(0), 1000, now.now_ms);
  note_latency(chooser.load(1), 5000, now.now_ms);
  EXPECT_EQ(counts(chooser, 20), (std::map<std::uint32_t, int>{{0, 20}}));
  chooser.load(0).outstanding.set(9);
  EXPECT_EQ(counts(chooser, 20), (std::map<std::uint32_t, int>{{1, 20}}));
  chooser.load(0).outstanding.set(0);
  Chooser other(group, 2, 3);  // of another worker, which keeps the fast one busy
  other.load(0).outstanding.set(9);
  EXPECT_EQ(counts(chooser, 20), (std::map<std::uint32_t, int>{{1, 20}}));
  other.load(0).outstanding.set(0);
  // What was slow long ago is worth a try.
  const ChoiceFacts later{0, now.now_ms + 100'000};
  EXPECT_LT(expected_latency_us(chooser.load(1), later.now_ms), 2.0);
}

TEST(Chooser, ZonesKeepToThemselvesWithoutCrossZone) {
  auto group = make_group(5);
  group.policy.is_cross_zone = false;
  group.nodes = 3;
  for (std::uint32_t i = 0; i < 4; ++i)
    edit(group.targets, i, [i](auto& it) { it.node = i / 2; });  // the fifth is in all zones
  Chooser chooser(group, 1, 3);
  const auto in_zone = [&](std::uint32_t node) {
    std::map<std::uint32_t, int> seen;
    for (int i = 0; i < 6; ++i) ++seen[chooser.choose({node, now.now_ms}).value()];
    return seen;
  };
  EXPECT_EQ(in_zone(0), (std::map<std::uint32_t, int>{{0, 2}, {1, 2}, {4, 2}}));
  EXPECT_EQ(in_zone(1), (std::map<std::uint32_t, int>{{2, 2}, {3, 2}, {4, 2}}));
  EXPECT_EQ(in_zone(2), (std::map<std::uint32_t, int>{{4, 6}}));
  set_health(group, 0, HealthState::unhealthy);
  EXPECT_EQ(in_zone(0), (std::map<std::uint32_t, int>{{1, 3}, {4, 3}}));
}

TEST(Outcome, AnEjectionLastsLongerEachTimeAndEnds) {
  auto group = make_group(3);
  group.policy.outlier_ejection = {2, 1000, 3000, 50};
  Chooser chooser(group, 1, 3);
  std::int64_t at_ms = 1'000'000;
  for (const std::int64_t length_ms : {1000, 2000, 3000, 3000}) {
    record(group, chooser.load(1), Outcome::failed, at_ms);
    EXPECT_TRUE(chooser.is_eligible(1, {0, at_ms}));
    record(group, chooser.load(1), Outcome::failed, at_ms);
    EXPECT_FALSE(chooser.is_eligible(1, {0, at_ms}));
    EXPECT_FALSE(chooser.is_eligible(1, {0, at_ms + length_ms - 1}));
    at_ms += length_ms;
    EXPECT_TRUE(chooser.is_eligible(1, {0, at_ms}));
  }
  record(group, chooser.load(1), Outcome::failed, at_ms);
  record(group, chooser.load(1), Outcome::answered, at_ms);
  record(group, chooser.load(1), Outcome::failed, at_ms);
  EXPECT_TRUE(chooser.is_eligible(1, {0, at_ms})) << "two failures, but not in a row";
  // Another worker's chooser sees the ejection as well.
  Chooser other(group, 2, 3);
  EXPECT_TRUE(other.is_eligible(1, {0, at_ms}));
  record(group, chooser.load(1), Outcome::failed, at_ms);
  EXPECT_FALSE(other.is_eligible(1, {0, at_ms}));
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
