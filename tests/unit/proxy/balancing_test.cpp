// Which target takes a request, over the wire: algorithms, zones, limits, ejection, deregistration
// (reference §4.2, §4.3, §4.6, §4.8; weir.circuit_breaker.*, weir.outlier_ejection.*).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view plain_get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class BalancingTest : public DataPlaneTest {
 protected:
  // The last byte of the answer: a target's name.
  static std::string name_from(Connection& client) {
    client.send(plain_get);
    const std::string answer = client.read_response();
    return answer.empty() ? "" : answer.substr(answer.size() - 1);
  }
  std::map<std::string, int> shares(Connection& client, int requests) {
    std::map<std::string, int> out;
    for (int i = 0; i < requests; ++i) ++out[name_from(client)];
    return out;
  }
  std::string status_line() {
    auto client = connect();
    client.send(plain_get);
    return client.read_response().substr(0, 12);
  }
};

TEST_P(BalancingTest, LeastOutstandingRequestsPassesOverTheBusyOne) {
  set_group("load_balancing.algorithm.type", "least_outstanding_requests");
  add_server("s", [&](Connection& c) {
    c.read_head();
    gate_.arrive();
    c.send(ok);
  });
  add_named("a");
  add_named("b");
  apply();
  // Some request is the first to reach the slow one, which then has one in flight.
  auto waiting = connect();
  auto client = connect();
  std::vector<Connection> others;
  set_health("s", routing::HealthState::healthy);
  waiting.send(plain_get);
  gate_.wait_for(1);
  for (const std::string name : {"a", "b"}) set_health(name, routing::HealthState::healthy);
  EXPECT_EQ(shares(client, 40), (std::map<std::string, int>{{"a", 20}, {"b", 20}}));
  gate_.open();
  EXPECT_THAT(waiting.read_response(), StartsWith("HTTP/1.1 200"));
}

TEST_P(BalancingTest, WeightedRandomAndP2cReachAllTargets) {
  for (const std::string name : {"a", "b", "c"}) add_named(name);
  for (const auto& [key, value] : {std::pair("load_balancing.algorithm.type", "weighted_random"),
                                   std::pair("weir.load_balancing.algorithm", "p2c_ewma")}) {
    groups_["group"].attributes = {{key, value}};
    apply();
    auto client = connect();
    EXPECT_EQ(shares(client, 150).size(), 3U) << value;
  }
}

TEST_P(BalancingTest, WithoutCrossZoneAClientStaysInTheZoneOfItsNode) {
  load_balancers_["lb"].nodes = {{"us-east-1a", "subnet-a", "10.0.0.4"},
                                 {"us-east-1b", "subnet-b", "10.0.1.4"}};
  add_named("a", "group", "us-east-1a");
  add_named("b", "group", "us-east-1b");
  set_group("load_balancing.cross_zone.enabled", "false");
  apply();
  std::set<std::string> zones;
  for (int i = 0; i < 4; ++i) {
    auto client = connect();
    const auto seen = shares(client, 6);
    EXPECT_EQ(seen.size(), 1U);
    zones.insert(seen.begin()->first);
  }
  EXPECT_EQ(zones.size(), 2U) << "clients are given to the nodes in turn";
  // A zone without a registered target: 503 of its node, and of its node alone.
  targets_.erase({"group", "127.0.0.1", port_of_.at("b")});
  apply();
  std::set<std::string> answers;
  for (int i = 0; i < 4; ++i) answers.insert(status_line());
  EXPECT_EQ(answers, (std::set<std::string>{"HTTP/1.1 200", "HTTP/1.1 503"}));
  set_group("load_balancing.cross_zone.enabled", "true");
  apply();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(status_line(), "HTTP/1.1 200");
}

TEST_P(BalancingTest, BelowTheHealthyThresholdAllTargetsTakeRequests) {
  for (const std::string name : {"a", "b", "c", "d"}) add_named(name);
  set_group("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "2");
  apply();
  auto client = connect();
  for (const std::string name : {"a", "b"}) set_health(name, routing::HealthState::healthy);
  EXPECT_EQ(shares(client, 8), (std::map<std::string, int>{{"a", 4}, {"b", 4}}));
  set_health("b", routing::HealthState::unhealthy);
  EXPECT_EQ(shares(client, 8).size(), 4U);
  set_health("b", routing::HealthState::healthy);
  EXPECT_EQ(shares(client, 8).size(), 2U);
  set_group("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "51");
  apply();
  EXPECT_EQ(shares(client, 8).size(), 4U) << "2 of 4 are less than 51 %";
}

TEST_P(BalancingTest, RequestsOverATargetsLimitGoElsewhereAndThenGet503) {
  set_group("weir.circuit_breaker.max_requests", "1");
  const auto slow = [&](Connection& c) {
    while (!c.read_head().empty()) {
      gate_.arrive();
      c.send(ok);
    }
  };
  add_server("a", slow);
  add_server("b", slow);
  apply();
  auto one = connect();
  auto two = connect();
  one.send(plain_get);
  two.send(plain_get);
  gate_.wait_for(2);  // each has one
  EXPECT_EQ(status_line(), "HTTP/1.1 503");
  gate_.open();
  EXPECT_THAT(one.read_response(), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(two.read_response(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(status_line(), "HTTP/1.1 200");
}

TEST_P(BalancingTest, ConnectionsOverATargetsLimitAreNotOpened) {
  set_group("weir.circuit_breaker.max_connections", "2");
  add_server("a", [&](Connection& c) {
    while (!c.read_head().empty()) {
      gate_.arrive();
      c.send(ok);
    }
  });
  apply();
  auto one = connect();
  auto two = connect();
  one.send(plain_get);
  two.send(plain_get);
  gate_.wait_for(2);
  EXPECT_EQ(status_line(), "HTTP/1.1 503");
  gate_.open();
  one.read_response();
  two.read_response();
  EXPECT_EQ(status_line(), "HTTP/1.1 200") << "by a connection that is idle now";
  EXPECT_EQ(servers_[0]->connections(), 2);
}

TEST_P(BalancingTest, ATargetThatFailsInARowIsEjected) {
  set_group("weir.outlier_ejection.enabled", "true");
  set_group("weir.outlier_ejection.consecutive_failures", "3");
  set_group("weir.outlier_ejection.max_ejection_percent", "50");
  add_named("a");
  add_server("x", always("HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx"));
  apply();
  for (const std::string name : {"a", "x"}) set_health(name, routing::HealthState::healthy);
  auto client = connect();
  EXPECT_EQ(shares(client, 40), (std::map<std::string, int>{{"a", 37}, {"x", 3}}));
}

TEST_P(BalancingTest, AllTargetsFailingNeverEmptiesTheGroup) {
  set_group("weir.outlier_ejection.enabled", "true");
  set_group("weir.outlier_ejection.consecutive_failures", "1");
  set_group("weir.outlier_ejection.max_ejection_percent", "100");
  for (const std::string name : {"x", "y"})
    add_server(name, always("HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\n" + name));
  apply();
  for (const std::string name : {"x", "y"}) set_health(name, routing::HealthState::healthy);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(status_line(), "HTTP/1.1 500");
}

TEST_P(BalancingTest, ADrainingTargetFinishesWhatItHasAndIsCutOffAtTheEnd) {
  add_server("s", [&](Connection& c) {
    while (!c.read_head().empty()) {
      gate_.arrive();
      c.send(ok);
    }
  });
  apply();
  auto first = connect();
  auto second = connect();
  first.send(plain_get);
  second.send(plain_get);
  gate_.wait_for(2);
  auto& target = targets_.begin()->second;
  target.draining_until_ms = 1;
  apply();
  EXPECT_EQ(status_line(), "HTTP/1.1 503") << "nothing new";
  targets_.clear();
  apply();
  EXPECT_THAT(first.read_response(), StartsWith("HTTP/1.1 502"));
  EXPECT_THAT(second.read_response(), StartsWith("HTTP/1.1 502"));
  gate_.open();
}

TEST_P(BalancingTest, ARequestThatEndsWithinTheDelayIsAnswered) {
  add_server("s", [&](Connection& c) {
    while (!c.read_head().empty()) {
      gate_.arrive();
      c.send(ok);
    }
  });
  apply();
  auto client = connect();
  client.send(plain_get);
  gate_.wait_for(1);
  targets_.begin()->second.draining_until_ms = 1;
  apply();
  gate_.open();
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200"));
  // Registered again, it takes requests again.
  targets_.begin()->second.draining_until_ms = 0;
  apply();
  EXPECT_EQ(status_line(), "HTTP/1.1 200");
}

TEST_P(BalancingTest, IdleConnectionsToADrainingTargetAreClosedAtOnce) {
  std::atomic<bool> ended = false;
  add_server("s", [&](Connection& c) {
    c.read_head();
    c.send(ok);
    EXPECT_THAT(c.read_some(), IsEmpty());
    ended = true;
    gate_.open();
    gate_.arrive();
  });
  apply();
  EXPECT_EQ(status_line(), "HTTP/1.1 200");
  targets_.begin()->second.draining_until_ms = 1;
  apply();
  gate_.wait_for(1);
  EXPECT_TRUE(ended);
}

TEST_P(BalancingTest, ATunnelIsCutOffAtTheEndOfTheDelay) {
  add_server("s", [](Connection& c) {
    c.read_head();
    c.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\n\r\n");
    c.read_to_end();
  });
  apply();
  auto client = connect();
  client.send(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 101"));
  targets_.begin()->second.draining_until_ms = 1;
  apply();
  client.send("still open");
  targets_.clear();
  apply();
  EXPECT_THAT(client.read_some(), IsEmpty());
}

// Each client's request reaches a target before the next client sends one, and none is answered: as
// long as the workers know of each other's requests, no target gets one more than another.
template <int workers>
class WorkersTest : public BalancingTest {
 protected:
  void configure(DataPlaneOptions& options) override { options.workers = workers; }
  void expect_even_shares() {
    set_group("load_balancing.algorithm.type", "least_outstanding_requests");
    constexpr int targets = 6;
    constexpr int rounds = 3;
    std::array<std::atomic<int>, targets> taken{};
    for (std::size_t i = 0; i < targets; ++i) {
      add_server(std::to_string(i), [this, &mine = taken[i]](Connection& c) {
        c.read_head();
        ++mine;
        gate_.arrive();
        c.send(ok);
      });
    }
    apply();
    std::vector<Connection> clients;
    for (int sent = 1; sent <= targets * rounds; ++sent) {
      clients.push_back(connect());
      clients.back().send(plain_get);
      gate_.wait_for(sent);
    }
    for (const auto& mine : taken) EXPECT_EQ(mine, rounds);
    gate_.open();
    for (auto& client : clients) EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200"));
    servers_.clear();  // their handlers use what ends here
  }
};
using TwoWorkersTest = WorkersTest<2>;
using FourWorkersTest = WorkersTest<4>;
TEST_P(TwoWorkersTest, TogetherTakeTheTargetWithTheFewestRequests) { expect_even_shares(); }
TEST_P(FourWorkersTest, TogetherTakeTheTargetWithTheFewestRequests) { expect_even_shares(); }

INSTANTIATE_TEST_SUITE_P(Backends, TwoWorkersTest, testing::ValuesIn(backends()), backend_name);
INSTANTIATE_TEST_SUITE_P(Backends, FourWorkersTest, testing::ValuesIn(backends()), backend_name);
INSTANTIATE_TEST_SUITE_P(Backends, BalancingTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
