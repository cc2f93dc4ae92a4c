// Targets that neither take a connection nor refuse it: the time limit (reference §5.6), and
// weir.circuit_breaker.max_pending.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/clock.hpp"
#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

using testing::EndsWith;
using testing::StartsWith;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class ConnectTimeoutTest : public DataPlaneTest {
 protected:
  void configure(DataPlaneOptions& options) override { options.limits.connect_timeout_ms = 100; }
};

TEST_P(ConnectTimeoutTest, NoConnectionInTimeIs504) {
  const SilentAddress silent;
  add_target(silent.port());
  apply();
  auto client = connect();
  for (int i = 0; i < 2; ++i) {  // and the client's connection lives on
    client.send(get);
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 504 Gateway Time-out\r\n"));
  }
  apply();
  const auto totals = ledger().totals();
  EXPECT_EQ(totals.balancer("lb").counts[telemetry::OfBalancer::target_connection_errors], 2U);
  EXPECT_EQ(totals.balancer("lb").counts[telemetry::OfBalancer::elb_504], 2U);
  EXPECT_EQ(totals.balancer("lb").counts[telemetry::OfBalancer::active_target_connections], 0U);
}

TEST_P(ConnectTimeoutTest, AnotherTargetTakesTheRequest) {
  const SilentAddress silent;
  add_target(silent.port());
  add_named("a");
  apply();
  auto client = connect();
  for (int i = 0; i < 2; ++i) {  // one of them at least meets the silent one first
    client.send(get);
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\na"));
  }
  apply();
  EXPECT_GE(
      ledger().totals().balancer("lb").counts[telemetry::OfBalancer::target_connection_errors], 1U);
}

TEST_P(ConnectTimeoutTest, WithoutRetriesItIs504WhereAnotherTargetWouldTakeIt) {
  const SilentAddress silent;
  add_target(silent.port());
  add_named("a");
  set_group("weir.retry.on", "off");
  apply();
  set_health(silent.port(), routing::HealthState::healthy);
  auto client = connect();
  client.send(get);
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 504 "));
}

class MaxPendingTest : public DataPlaneTest {
 protected:
  std::uint32_t connecting(std::uint16_t port) {
    return cell(port).loads.sum(&routing::TargetLoad::connecting);
  }
  void wait_until_connecting(std::uint16_t port, std::uint32_t count) {
    const std::int64_t end = monotonic_ms() + 10'000;
    while (connecting(port) != count && monotonic_ms() < end) std::this_thread::yield();
    EXPECT_EQ(connecting(port), count);
  }
};

TEST_P(MaxPendingTest, RequestsOverItGoElsewhereAndThenGet503) {
  SilentAddress silent;
  add_target(silent.port());
  set_group("weir.circuit_breaker.max_pending", "1");
  apply();
  auto waiting = connect();
  waiting.send(get);
  wait_until_connecting(silent.port(), 1);
  EXPECT_THAT(ask(get), StartsWith("HTTP/1.1 503 "));
  add_named("a");
  apply();
  for (int i = 0; i < 4; ++i) EXPECT_THAT(ask(get), EndsWith("\r\n\r\na"));
  // The connection is made: the request goes out, and the next may wait.
  auto connection = silent.accept();
  EXPECT_THAT(connection.read_head(), StartsWith("GET / HTTP/1.1\r\n"));
  EXPECT_EQ(connecting(silent.port()), 0U);
  connection.send(ok);
  EXPECT_THAT(waiting.read_response(), EndsWith("\r\n\r\nok"));
}

INSTANTIATE_TEST_SUITE_P(Backends, ConnectTimeoutTest, testing::ValuesIn(backends()), backend_name);
INSTANTIATE_TEST_SUITE_P(Backends, MaxPendingTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
