// Requests over the wire move the counters that they should, and no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "data_plane_fixture.hpp"
#include "telemetry/totals.hpp"

namespace weir::proxy {
namespace {

using telemetry::OfBalancer;
using telemetry::OfGroup;
using telemetry::OfTarget;
using testing::StartsWith;

class TelemetryTest : public DataPlaneTest {
 protected:
  // A counter moves when the exchange ends, which may be after its last byte has been read: asking
  // the worker to take the snapshot again waits for the turn to be over.
  telemetry::Totals totals() {
    apply();
    return ledger().totals();
  }
  std::uint64_t count(OfBalancer which) { return totals().balancer("lb").counts[which]; }
};

TEST_P(TelemetryTest, AForwardedRequest) {
  TestTarget target(always(ok));
  serve(target);
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string answer = ask(request);
  const auto all = totals();
  const auto balancer = all.balancer("lb");
  EXPECT_EQ(balancer.counts[OfBalancer::requests], 1U);
  EXPECT_EQ(balancer.counts[OfBalancer::dispatched], 1U);
  EXPECT_EQ(balancer.counts[OfBalancer::target_2xx], 1U);
  EXPECT_EQ(balancer.counts[OfBalancer::elb_5xx], 0U);
  EXPECT_EQ(balancer.counts[OfBalancer::received_bytes], request.size());
  EXPECT_EQ(balancer.counts[OfBalancer::sent_bytes], answer.size());
  EXPECT_EQ(balancer.counts[OfBalancer::new_connections], 1U);
  EXPECT_EQ(balancer.counts[OfBalancer::active_connections], 0U);
  EXPECT_EQ(balancer.response_time.samples, 1U);
  EXPECT_EQ(all.group("group").counts[OfGroup::target_2xx], 1U);
  EXPECT_EQ(all.group("group").response_time.samples, 1U);
  const auto& of_target = all.targets.at({"group", "127.0.0.1", target.port()});
  EXPECT_EQ(of_target.counts[OfTarget::requests], 1U);
  EXPECT_EQ(of_target.counts[OfTarget::received_bytes], ok.size());
}

TEST_P(TelemetryTest, TargetsErrorsAreNotOurs) {
  TestTarget target(always("HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n"));
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::target_5xx), 1U);
  EXPECT_EQ(count(OfBalancer::elb_5xx), 0U);
}

TEST_P(TelemetryTest, OurErrorsAreNotTheTargets) {
  TestTarget target(always("rubbish\r\n\r\n"));
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::elb_502), 1U);
  EXPECT_EQ(count(OfBalancer::elb_5xx), 1U);
  EXPECT_EQ(count(OfBalancer::target_5xx), 0U);
}

TEST_P(TelemetryTest, NoTargetIsA503WithoutDispatch) {
  apply();
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::elb_503), 1U);
  EXPECT_EQ(count(OfBalancer::requests), 1U);
  EXPECT_EQ(count(OfBalancer::dispatched), 0U);
}

TEST_P(TelemetryTest, RedirectsAndFixedResponses) {
  set_default_action({1, model::FixedResponseAction{404, "text/plain", "x"}});
  apply();
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::fixed_responses), 1U);
  EXPECT_EQ(count(OfBalancer::elb_4xx), 0U);
  model::RedirectAction redirect;
  redirect.status_code = 301;
  redirect.host = "other.example";
  set_default_action({1, redirect});
  apply();
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::redirects), 1U);
  EXPECT_EQ(count(OfBalancer::elb_3xx), 1U);
}

TEST_P(TelemetryTest, MalformedAndNonCompliantRequests) {
  TestTarget target(always(ok));
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::elb_4xx), 1U);
  EXPECT_EQ(count(OfBalancer::requests), 1U);
  ask("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  EXPECT_GE(count(OfBalancer::desync_non_compliant), 1U);
}

TEST_P(TelemetryTest, AnOpenConnectionIsActive) {
  TestTarget target(always(ok));
  serve(target);
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_THAT(client.read_response(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(count(OfBalancer::active_connections), 1U);
  EXPECT_EQ(count(OfBalancer::active_target_connections), 1U);
  EXPECT_EQ(count(OfBalancer::new_target_connections), 1U);
}

TEST_P(TelemetryTest, CountsOutliveAChangeOfTheConfiguration) {
  TestTarget target(always(ok));
  serve(target);
  for (int i = 1; i <= 5; ++i) {
    ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(count(OfBalancer::requests), static_cast<std::uint64_t>(i));
  }
}

class AccessLogTest : public TelemetryTest {
 protected:
  void SetUp() override {
    char name[] = "/tmp/weir-log-XXXXXX";
    folder_ = ::mkdtemp(name);
    access_logs_ = std::make_shared<telemetry::AccessLogs>(folder_);
    TelemetryTest::SetUp();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string log() {
    apply();  // see totals()
    access_logs_->flush();
    std::ifstream in(folder_ + "/lb/access.log");
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string folder_;
};

TEST_P(AccessLogTest, ALineARequest) {
  TestTarget target(always(ok));
  set_attribute("weir.access_log.format", "alb");
  serve(target);
  ask("GET /x?y HTTP/1.1\r\nHost: a\r\nUser-Agent: me\r\n\r\n");
  ask("rubbish\r\n\r\n");
  const std::string lines = log();
  EXPECT_THAT(lines, StartsWith("http 20"));
  EXPECT_THAT(lines, testing::HasSubstr(" 200 200 "));
  EXPECT_THAT(lines, testing::HasSubstr(" \"GET http://a:80/x?y HTTP/1.1\" \"me\" - - group "
                                        "\"Root=1-"));
  EXPECT_THAT(lines, testing::HasSubstr(" \"forward\" "));
  EXPECT_EQ(std::ranges::count(lines, '\n'), 2);
  EXPECT_EQ(count(OfBalancer::log_lines_dropped), 0U);
}

TEST_P(AccessLogTest, ClassAndReasonOfWhatIsRefused) {
  set_attribute("weir.access_log.format", "alb");
  apply();
  ask("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n");
  EXPECT_THAT(log(), testing::HasSubstr(" \"Severe\" \"BadContentLength\" "));
  EXPECT_EQ(count(OfBalancer::desync_non_compliant), 1U);
}

TEST_P(AccessLogTest, NothingIsWrittenWhereItIsOff) {
  TestTarget target(always(ok));
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(log(), "");
}

INSTANTIATE_TEST_SUITE_P(Backends, AccessLogTest, testing::ValuesIn(backends()), backend_name);
INSTANTIATE_TEST_SUITE_P(Backends, TelemetryTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
