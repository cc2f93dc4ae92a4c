// weir.rate_limit.* over the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RateLimitTest : public DataPlaneTest {
 protected:
  std::string ask_as(const std::string& key) {
    return ask("GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key: " + key + "\r\nConnection: close\r\n\r\n");
  }
};

TEST_P(RateLimitTest, BeyondTheBurstASourceGets429AndIsToldWhenToComeAgain) {
  TestTarget target(always(ok));
  set_attribute("weir.rate_limit.requests_per_second", "1");
  set_attribute("weir.rate_limit.burst", "3");
  serve(target);
  auto client = connect();
  int refused = 0;
  for (int i = 0; i < 30; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string answer = client.read_response();
    if (answer.starts_with("HTTP/1.1 200 ")) continue;
    ++refused;
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 429 Too Many Requests\r\nServer: awselb/2.0\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: 1\r\n"));
  }
  // Each second lets one more in, and thirty requests take nowhere near as many.
  EXPECT_GE(refused, 1);
  EXPECT_LE(refused, 27);
}

TEST_P(RateLimitTest, AHeadersValueIsAKey) {
  TestTarget target(always(ok));
  set_attribute("weir.rate_limit.requests_per_second", "1");
  set_attribute("weir.rate_limit.key", "header:x-api-key");
  serve(target);
  EXPECT_THAT(ask_as("red"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask_as("blue"), StartsWith("HTTP/1.1 200 "));
}

TEST_P(RateLimitTest, AChangeOfSomethingElseKeepsTheBuckets) {
  TestTarget target(always(ok));
  set_attribute("weir.rate_limit.requests_per_second", "1");
  serve(target);
  const auto limiter = snapshot_->load_balancers[0].rate_limit->limiter;
  set_attribute("idle_timeout.timeout_seconds", "30");
  apply();
  EXPECT_EQ(snapshot_->load_balancers[0].rate_limit->limiter, limiter);
  set_attribute("weir.rate_limit.requests_per_second", "2");
  apply();
  EXPECT_NE(snapshot_->load_balancers[0].rate_limit->limiter, limiter);
}

INSTANTIATE_TEST_SUITE_P(Loops, RateLimitTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
