// Requests over the wire move the counters that they should, and no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <system_error>

#include "base/clock.hpp"
#include "data_plane_fixture.hpp"
#include "model/base64.hpp"
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
  void add_sticky(const std::string& type) {
    stickiness_keys_["1"] = {"1", model::base64_encode(std::string(32, 'k')), 1};
    groups_["group"].attributes["stickiness.enabled"] = "true";
    groups_["group"].attributes["stickiness.type"] = type;
  }
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

TEST_P(TelemetryTest, HeaderFieldsWithInvalidNames) {
  TestTarget target(always(ok));
  serve(target);
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nX_Z: 2\r\n\r\n";
  ask(request);
  ask("GET / HTTP/1.1\r\nHost: a\r\nX-Y: 1\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::invalid_headers_forwarded), 1U) << "requests, not fields";
  EXPECT_EQ(count(OfBalancer::invalid_headers_dropped), 0U);
  set_attribute("routing.http.drop_invalid_header_fields.enabled", "true");
  apply();
  ask(request);
  EXPECT_EQ(count(OfBalancer::invalid_headers_forwarded), 1U);
  EXPECT_EQ(count(OfBalancer::invalid_headers_dropped), 1U);
}

TEST_P(TelemetryTest, ANewChoiceWhereRequestsStick) {
  TestTarget target(always(ok));
  add_sticky("lb_cookie");
  serve(target);
  const std::string answer = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::non_sticky), 1U) << "the first of a client";
  const auto at = answer.find("AWSALB=");
  ASSERT_NE(at, std::string::npos);
  const std::string cookie = answer.substr(at, answer.find(';', at) - at);
  ask("GET / HTTP/1.1\r\nHost: a\r\nCookie: " + cookie + "\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::non_sticky), 1U) << "its session has been followed";
  EXPECT_EQ(count(OfBalancer::app_cookie_non_sticky), 0U);
}

TEST_P(TelemetryTest, ANewChoiceWhereAnApplicationsCookieShouldHaveCome) {
  TestTarget target(always(ok));
  add_sticky("app_cookie");
  groups_["group"].attributes["stickiness.app_cookie.cookie_name"] = "mine";
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::non_sticky), 1U);
  EXPECT_EQ(count(OfBalancer::app_cookie_non_sticky), 1U);
}

TEST_P(TelemetryTest, FailOpen) {
  TestTarget target(always(ok));
  serve(target);
  set_health(target.port(), routing::HealthState::healthy);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(totals().group("group").counts[OfGroup::fail_open], 0U);
  set_health(target.port(), routing::HealthState::unhealthy);
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(totals().group("group").counts[OfGroup::fail_open], 1U);
}

TEST_P(TelemetryTest, ACircuitThatIsOpen) {
  std::promise<void> asked;
  std::promise<void> may_answer;
  TestTarget target([&](Connection& c) {
    if (c.read_head().empty()) return;
    asked.set_value();
    may_answer.get_future().wait();
    c.send(ok);
  });
  set_group("weir.circuit_breaker.max_requests", "1");
  serve(target);
  auto first = connect();
  first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  asked.get_future().wait();
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 503"));
  may_answer.set_value();
  EXPECT_THAT(first.read_response(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(count(OfBalancer::circuit_open), 1U);
  EXPECT_EQ(count(OfBalancer::elb_503), 1U);
}

TEST_P(TelemetryTest, AMirroredRequest) {
  static constexpr const char* arn =
      "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/mirror/0123456789abcdef";
  TestTarget target(always(ok));
  TestTarget copy(always(ok));
  model::TargetGroup group;
  group.arn = arn;
  group.target_type = "ip";
  groups_[arn] = group;
  targets_[{arn, "127.0.0.1", copy.port()}] =
      model::Target{arn, "127.0.0.1", copy.port(), "all", 0, 0};
  groups_["group"].attributes["weir.mirror.target_group_arn"] = arn;
  groups_["group"].attributes["weir.mirror.percent"] = "50";
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::mirrored), 1U);
  EXPECT_EQ(count(OfBalancer::requests), 2U);
}

TEST_P(TelemetryTest, ARetryCountsBothTries) {
  const Fd nobody(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));  // bound, does not listen
  const auto address = *net::Address::parse("127.0.0.1", 0);
  ASSERT_EQ(
      ::bind(nobody.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length), 0);
  TestTarget target(always(ok));
  add_target(net::local_address(nobody.get())->port());
  serve(target);
  for (int i = 0; i < 2; ++i)  // one of them at least meets it first
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_GE(count(OfBalancer::retries), 1U);
  EXPECT_EQ(count(OfBalancer::target_connection_errors), count(OfBalancer::retries));
  EXPECT_EQ(count(OfBalancer::requests), 2U);
  EXPECT_EQ(count(OfBalancer::target_2xx), 2U);
}

TEST_P(TelemetryTest, AClientThatLeavesBeforeTheAnswerIs460) {
  std::promise<void> asked;
  std::promise<void> let_go;
  TestTarget target([&](Connection& c) {
    if (c.read_head().empty()) return;
    asked.set_value();
    c.read_to_end();
    let_go.set_value();
  });
  serve(target);
  {
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    asked.get_future().wait();
    const linger abort{1, 0};
    setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  }
  let_go.get_future().wait();
  EXPECT_EQ(count(OfBalancer::client_gone), 1U);
  EXPECT_EQ(count(OfBalancer::elb_4xx), 1U);
}

class Ipv6Test : public TelemetryTest {
 protected:
  void SetUp() override {
    if (!net::tcp_listen(*net::Address::parse("::1", 0), false))
      GTEST_SKIP() << "this machine has no IPv6";
    TelemetryTest::SetUp();
  }
  void configure(DataPlaneOptions& options) override { options.bind_addresses = {"::1"}; }
};

TEST_P(Ipv6Test, RequestsAndBytesOverIpv6CountThere) {
  TestTarget target(always(ok));
  serve(target);
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  auto client = Connection::to(port_, 0, "::1");
  std::size_t sent = 0;
  for (int i = 0; i < 2; ++i) {
    client.send(request);
    sent += client.read_response().size();
  }
  EXPECT_EQ(count(OfBalancer::requests), 2U);
  EXPECT_EQ(count(OfBalancer::ipv6_requests), 2U);
  EXPECT_EQ(count(OfBalancer::ipv6_bytes), 2 * request.size() + sent);
}

TEST_P(TelemetryTest, WhatCameOverIpv4IsNotCountedAsIpv6) {
  TestTarget target(always(ok));
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(OfBalancer::ipv6_requests), 0U);
  EXPECT_EQ(count(OfBalancer::ipv6_bytes), 0U);
}

class AccessLogTest : public TelemetryTest {
 protected:
  void SetUp() override {
    char name[] = "/tmp/weir-log-XXXXXX";
    folder_ = ::mkdtemp(name);
    logs_ = std::make_shared<telemetry::Logs>(
        telemetry::Logs::Options{folder_, folder_ + "/parts", folder_ + "/s3"});
    TelemetryTest::SetUp();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string log() {
    apply();  // see totals()
    logs_->flush();
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

TEST_P(AccessLogTest, WhatIsNotForwardedHasATraceIdToo) {
  set_attribute("weir.access_log.format", "alb");
  set_default_action({1, model::FixedResponseAction{404, "text/plain", "x"}});
  apply();
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(log(), testing::ContainsRegex(" - \"Root=1-[0-9a-f]{8}-[0-9a-f]{24}\" \"-\" "));
}

TEST_P(AccessLogTest, AGroupCookieThatIsNoneOfOursIsTheReason) {
  TestTarget target(always(ok));
  add_sticky("lb_cookie");
  set_attribute("weir.access_log.format", "alb");
  set_default_action({1, model::ForwardAction{{{"group", 1}}, true, 60}});
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(log(), testing::Not(testing::HasSubstr("AWSALBTGCookieInvalid")));
  ask("GET / HTTP/1.1\r\nHost: a\r\nCookie: AWSALBTG=a%2Fb\r\n\r\n");
  EXPECT_THAT(log(), testing::HasSubstr(" \"AWSALBTGCookieInvalid\" "));
}

TEST_P(AccessLogTest, TheFirstLogWakesItsWriter) {
  TestTarget target(always(ok));
  serve(target);  // no log: the writer sleeps
  set_attribute("weir.access_log.format", "alb");
  apply();
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  std::error_code none;
  const std::filesystem::path file = folder_ + "/lb/access.log";
  const auto is_written = [&] {
    const auto size = std::filesystem::file_size(file, none);
    return !none && size > 0;
  };
  const std::int64_t end = monotonic_ms() + 10'000;
  while (!is_written() && monotonic_ms() < end) std::this_thread::yield();
  EXPECT_TRUE(is_written());
}

TEST_P(AccessLogTest, NothingIsWrittenWhereItIsOff) {
  TestTarget target(always(ok));
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(log(), "");
}

INSTANTIATE_TEST_SUITE_P(Backends, AccessLogTest, testing::ValuesIn(backends()), backend_name);
INSTANTIATE_TEST_SUITE_P(Backends, Ipv6Test, testing::ValuesIn(backends()), backend_name);
INSTANTIATE_TEST_SUITE_P(Backends, TelemetryTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
