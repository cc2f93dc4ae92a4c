#include "balancing/anomaly.hpp"

#include <gtest/gtest.h>

namespace weir::balancing {
namespace {

using routing::TargetHealthCell;

class AnomalyTest : public testing::Test {
 protected:
  AnomalyTest() {
    auto& group = snapshot_.target_groups.emplace_back();
    group.in_use = true;
    group.policy.mitigates_anomalies = true;
    for (int i = 0; i < 3; ++i) {
      routing::Target target;
      target.health = std::make_shared<TargetHealthCell>();
      target.health->state = routing::HealthState::healthy;
      group.targets.push_back(std::move(target));
    }
  }
  TargetHealthCell& cell(std::size_t i) { return *group().targets[i].health; }
  routing::TargetGroup& group() { return snapshot_.target_groups[0]; }
  // Counted by two workers.
  void count(std::size_t target, std::uint64_t requests, std::uint64_t failures) {
    cell(target).loads.of(1).requests.add(requests / 2);
    cell(target).loads.of(2).requests.add(requests - requests / 2);
    cell(target).loads.of(2).failures.add(failures);
  }
  void interval(std::uint64_t failures_of_first) {
    count(0, 100, failures_of_first);
    count(1, 100, 1);
    count(2, 100, 0);
    watch_.look(snapshot_);
  }

  routing::Snapshot snapshot_;
  AnomalyWatch watch_;
};

TEST_F(AnomalyTest, ATargetWorseThanItsPeersLosesWeightAndGainsItBackGradually) {
  interval(0);
  EXPECT_FALSE(cell(0).is_anomalous);
  interval(50);
  EXPECT_TRUE(cell(0).is_anomalous);
  EXPECT_FALSE(cell(1).is_anomalous);
  EXPECT_EQ(cell(0).weight, TargetHealthCell::full_weight / 2);
  for (int i = 0; i < 6; ++i) interval(50);
  EXPECT_EQ(cell(0).weight, AnomalyWatch::weight_min);
  interval(0);
  EXPECT_FALSE(cell(0).is_anomalous);
  EXPECT_EQ(cell(0).weight, AnomalyWatch::weight_min + TargetHealthCell::full_weight / 8);
  for (int i = 0; i < 8; ++i) interval(0);
  EXPECT_EQ(cell(0).weight, TargetHealthCell::full_weight);
  EXPECT_EQ(cell(1).weight, TargetHealthCell::full_weight);
}

TEST_F(AnomalyTest, DetectsWithoutMitigation) {
  group().policy.mitigates_anomalies = false;
  interval(50);
  EXPECT_TRUE(cell(0).is_anomalous);
  EXPECT_EQ(cell(0).weight, TargetHealthCell::full_weight);
}

TEST_F(AnomalyTest, NeedsThreeHealthyTargetsAndEnoughRequests) {
  cell(2).state = routing::HealthState::unhealthy;
  interval(50);
  EXPECT_FALSE(cell(0).is_anomalous);
  cell(2).state = routing::HealthState::healthy;
  count(0, 9, 9);
  count(1, 100, 0);
  count(2, 100, 0);
  watch_.look(snapshot_);
  EXPECT_FALSE(cell(0).is_anomalous) << "9 requests say nothing";
}

TEST_F(AnomalyTest, WhatAllSufferFromIsNobodysAnomaly) {
  for (std::size_t i = 0; i < 3; ++i) count(i, 100, 60);
  watch_.look(snapshot_);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(cell(i).is_anomalous);
}

TEST_F(AnomalyTest, IsNeededForAtLeastThreeTargetsAndUntilWeightsAreGivenBack) {
  EXPECT_TRUE(AnomalyWatch::is_needed(snapshot_));
  interval(50);
  group().targets.erase(group().targets.begin() + 2);
  EXPECT_TRUE(AnomalyWatch::is_needed(snapshot_)) << "the first has half of its weight";
  for (int looks = 0; looks < 4; ++looks) watch_.look(snapshot_);
  EXPECT_FALSE(AnomalyWatch::is_needed(snapshot_));
  group().targets.clear();
  EXPECT_FALSE(AnomalyWatch::is_needed(snapshot_));
  EXPECT_FALSE(AnomalyWatch::is_needed(routing::Snapshot{}));
}

}  // namespace
}  // namespace weir::balancing
