#include "traffic/retry.hpp"

#include <gtest/gtest.h>

namespace weir::traffic {
namespace {

TEST(RetryBudget, IsAShareOfTheRequestsUnderWayButAtLeastAFew) {
  RetryBudget budget;
  budget.begin_request();
  for (std::uint32_t i = 0; i < RetryBudget::retries_min; ++i) EXPECT_TRUE(budget.begin_retry(20));
  EXPECT_FALSE(budget.begin_retry(20));
  for (int i = 1; i < 50; ++i) budget.begin_request();
  for (int i = 3; i < 10; ++i) EXPECT_TRUE(budget.begin_retry(20));
  EXPECT_FALSE(budget.begin_retry(20));
  budget.end_retry();
  EXPECT_TRUE(budget.begin_retry(20));
  budget.end_request();
  budget.end_retry();
  EXPECT_FALSE(budget.begin_retry(20));
}

TEST(RetryPolicy, KnowsItsStatuses) {
  RetryPolicy policy;
  EXPECT_FALSE(policy.is_on_status(503));
  EXPECT_FALSE(policy.repeats_requests());
  policy.add_status(503);
  EXPECT_TRUE(policy.repeats_requests());
  EXPECT_TRUE(policy.is_on_status(503));
  EXPECT_FALSE(policy.is_on_status(502));
  EXPECT_FALSE(policy.is_on_status(200));
}

}  // namespace
}  // namespace weir::traffic
