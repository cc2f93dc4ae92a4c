#include "health/schedule.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace weir::health {
namespace {

constexpr std::int64_t start = 1'000'000;
constexpr std::int64_t interval = 30'000;

std::vector<Schedule::Next> until(Schedule& schedule, std::int64_t end) {
  std::vector<Schedule::Next> out;
  while (schedule.next().at_ms < end) {
    out.push_back(schedule.next());
    schedule.advance(out.back().at_ms);
  }
  return out;
}

TEST(Schedule, BeginsAtOnceAndEveryFiftyMillisecondsForASecond) {
  Schedule schedule(start, interval, 0);
  const auto checks = until(schedule, start + 1000);
  ASSERT_EQ(checks.size(), 20U);
  for (std::size_t i = 0; i < checks.size(); ++i) {
    EXPECT_EQ(checks[i].at_ms, start + 50 * static_cast<std::int64_t>(i));
    EXPECT_FALSE(checks[i].counts);
  }
}

TEST(Schedule, WaitingLongerIsCheckedMoreRarely) {
  Schedule schedule(start, interval, 0);
  const auto checks = until(schedule, start + interval);
  EXPECT_LT(checks.size(), 100U);
  for (std::size_t i = 1; i < checks.size(); ++i) {
    const std::int64_t waited = checks[i - 1].at_ms - start;
    EXPECT_LE(checks[i].at_ms - checks[i - 1].at_ms, std::max<std::int64_t>(50, waited / 20));
  }
}

TEST(Schedule, CountingChecksKeepTheirGridWhateverTheQuickOnesDo) {
  Schedule schedule(start, interval, 1000);
  std::vector<std::int64_t> counting;
  for (const auto& check : until(schedule, start + 3 * interval)) {
    if (check.counts) counting.push_back(check.at_ms);
  }
  EXPECT_EQ(counting, (std::vector{start + 29'000, start + 59'000, start + 89'000}));
}

TEST(Schedule, SettledOnlyCountingChecksRemain) {
  Schedule schedule(start, interval, 0);
  schedule.advance(start);
  schedule.settle();
  EXPECT_FALSE(schedule.is_quick());
  for (const auto& check : until(schedule, start + 5 * interval)) EXPECT_TRUE(check.counts);
}

TEST(Schedule, ALateCheckDoesNotMoveTheOnesAfterIt) {
  Schedule schedule(start, interval, 0);
  schedule.settle();
  schedule.advance(start + interval + 7'000);
  EXPECT_EQ(schedule.next().at_ms, start + 2 * interval);
  schedule.advance(start + 4 * interval + 1);
  EXPECT_EQ(schedule.next().at_ms, start + 5 * interval) << "missed ones are not made up for";
}

TEST(Schedule, PhasesSpreadOverHalfAnInterval) {
  std::set<std::int64_t> phases;
  for (std::uint64_t spread = 0; spread < 100'000; spread += 997) {
    Schedule schedule(start, interval, spread);
    schedule.settle();
    phases.insert(schedule.next().at_ms);
  }
  EXPECT_GE(*phases.begin(), start + interval / 2);
  EXPECT_LE(*phases.rbegin(), start + interval);
  EXPECT_GT(phases.size(), 90U);
}

TEST(Schedule, ACrowdSlowsTheQuickChecksDown) {
  Schedule schedule(start, interval, 0);
  schedule.advance(start, 5'000);
  EXPECT_EQ(schedule.next().at_ms, start + 5'000);
}

TEST(Schedule, IntervalChangesAndRestarts) {
  Schedule schedule(start, interval, 0);
  schedule.settle();
  schedule.set_interval(start + 10, 5'000);
  EXPECT_EQ(schedule.next().at_ms, start + 5'010);
  schedule.restart_quick(start + 100);
  EXPECT_EQ(schedule.next().at_ms, start + 100);
  EXPECT_FALSE(schedule.next().counts);
}

}  // namespace
}  // namespace weir::health
