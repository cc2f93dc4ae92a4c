#include <gtest/gtest.h>

#include "health/checker.hpp"

namespace weir::health {
namespace {

using routing::HealthState;
using enum CheckResult;

struct Step {
  CheckResult result;
  int code;
  bool counts;
  HealthState state;  // afterwards
  std::string_view reason, description;
};

void run(TargetHealth& health, const std::vector<Step>& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    const HealthState before = health.status().state;
    const bool changed = health.record(step.result, step.code, step.counts);
    EXPECT_EQ(health.status().state, step.state) << "step " << i;
    EXPECT_EQ(health.status().reason, step.reason) << "step " << i;
    EXPECT_EQ(health.status().description, step.description) << "step " << i;
    EXPECT_EQ(changed, before != step.state) << "step " << i;
  }
}

constexpr std::string_view first_checks = "Elb.InitialHealthChecking";
constexpr std::string_view first_checks_text = "Initial health checks in progress";

TEST(TargetHealth, FirstSuccessIsEnough) {
  for (const bool counts : {false, true}) {
    TargetHealth health(5, 2);
    EXPECT_EQ(health.status().state, HealthState::initial);
    EXPECT_EQ(health.status().reason, first_checks);
    EXPECT_EQ(health.status().description, first_checks_text);
    run(health, {{success, 200, counts, HealthState::healthy, "", ""}});
  }
}

TEST(TargetHealth, QuickFailuresDoNotCount) {
  TargetHealth health(5, 2);
  for (int i = 0; i < 10; ++i) {
    for (const CheckResult result : {connection_failed, timeout, code_mismatch})
      run(health, {{result, 500, false, HealthState::initial, first_checks, first_checks_text}});
  }
}

TEST(TargetHealth, FailuresMustFollowOneAnother) {
  TargetHealth health(2, 3);
  run(health, {
                  {success, 200, true, HealthState::healthy, "", ""},
                  {timeout, 0, true, HealthState::healthy, "", ""},
                  {timeout, 0, true, HealthState::healthy, "", ""},
                  {success, 200, true, HealthState::healthy, "", ""},
                  {timeout, 0, true, HealthState::healthy, "", ""},
                  {timeout, 0, true, HealthState::healthy, "", ""},
                  {timeout, 0, true, HealthState::unhealthy, "Target.Timeout", "Request timed out"},
              });
}

TEST(TargetHealth, UnhealthyShowsItsLatestReasonUntilEnoughSuccesses) {
  TargetHealth health(3, 2);
  const std::string_view codes = "Health checks failed with these codes: [503]";
  const std::string_view mismatch = "Target.ResponseCodeMismatch";
  const std::string_view failed = "Target.FailedHealthChecks";
  const std::string_view failed_text = "Health checks failed";
  run(health,
      {
          {connection_failed, 0, true, HealthState::initial, first_checks, first_checks_text},
          {connection_failed, 0, true, HealthState::unhealthy, failed, failed_text},
          {code_mismatch, 503, true, HealthState::unhealthy, mismatch, codes},
          {success, 200, true, HealthState::unhealthy, mismatch, codes},
          {success, 200, true, HealthState::unhealthy, mismatch, codes},
          {connection_failed, 0, true, HealthState::unhealthy, failed, failed_text},
          {success, 200, true, HealthState::unhealthy, failed, failed_text},
          {success, 200, true, HealthState::unhealthy, failed, failed_text},
          {success, 200, true, HealthState::healthy, "", ""},
          {timeout, 0, true, HealthState::healthy, "", ""},
      });
}

TEST(TargetHealth, NewThresholdsHoldForWhatWasCountedSoFar) {
  TargetHealth health(5, 5);
  run(health, {{timeout, 0, true, HealthState::initial, first_checks, first_checks_text}});
  health.set_thresholds(5, 2);
  run(health, {{timeout, 0, true, HealthState::unhealthy, "Target.Timeout", "Request timed out"}});
}

TEST(CodeMatcher, ListsAndRanges) {
  const auto matches = [](std::string_view codes, int code) {
    return CodeMatcher::parse(codes).value().matches(code);
  };
  EXPECT_TRUE(matches("200", 200));
  EXPECT_FALSE(matches("200", 201));
  EXPECT_TRUE(matches("200,302", 302));
  EXPECT_FALSE(matches("200,302", 301));
  EXPECT_TRUE(matches("200-299", 200));
  EXPECT_TRUE(matches("200-299", 299));
  EXPECT_FALSE(matches("200-299", 300));
  EXPECT_TRUE(matches("200,300-302,404", 301));
  EXPECT_TRUE(matches("200,300-302,404", 404));
  EXPECT_FALSE(matches("200,300-302,404", 303));
}

TEST(CodeMatcher, RefusesWhatTheApiRefuses) {
  for (const std::string_view codes :
       {"", ",", "200,", ",200", "199", "500", "200-500", "299-200", "200-", "-200", "2xx", " 200",
        "200, 201", "0200", "200-250-299", "+20"}) {
    const auto parsed = CodeMatcher::parse(codes);
    ASSERT_FALSE(parsed) << codes;
    EXPECT_EQ(parsed.error().code, "ValidationError");
  }
}

}  // namespace
}  // namespace weir::health
