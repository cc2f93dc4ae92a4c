// Round robin over several workers and few connections: each worker has a turn of its own, begun at
// a random place, so the whole is off by less than one request a worker and target, and far from
// what chi-squared would call uneven.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

class SpreadTest : public DataPlaneTest {
 protected:
  void start_again(int workers) {
    data_plane_.reset();
    DataPlaneOptions options;
    options.workers = workers;
    options.backend = GetParam();
    options.bind_addresses = {"127.0.0.1"};
    data_plane_ = std::move(*DataPlane::start(std::move(options)));
    port_ = *data_plane_->open_port(0);
    listeners_["listener"].bound_port = port_;
    apply();
  }
};

TEST_P(SpreadTest, RoundRobinIsEvenOverOneTwoAndFourWorkers) {
  constexpr std::size_t kinds = 5;
  constexpr int requests = 100;
  std::vector<std::unique_ptr<TestTarget>> targets;
  std::vector<std::atomic<int>> seen(kinds);
  for (std::size_t i = 0; i < kinds; ++i) {
    targets.push_back(std::make_unique<TestTarget>([&seen, i](Connection& c) {
      while (!c.read_head().empty()) {
        ++seen[i];
        c.send(ok);
      }
    }));
    add_target(targets.back()->port());
  }
  for (const int workers : {1, 2, 4}) {
    start_again(workers);
    for (auto& each : seen) each = 0;
    for (int connection = 0; connection < 10; ++connection) {
      auto client = connect();
      for (int i = 0; i < requests / 10; ++i) {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        ASSERT_FALSE(client.read_response().empty());
      }
    }
    constexpr double expected = static_cast<double>(requests) / kinds;
    double chi_squared = 0;
    for (const auto& each : seen) {
      EXPECT_LT(std::abs(each - expected), workers);
      chi_squared += (each - expected) * (each - expected) / expected;
    }
    EXPECT_LT(chi_squared, 13.3) << "4 degrees of freedom, p = 0.01; " << workers << " workers";
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, SpreadTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
