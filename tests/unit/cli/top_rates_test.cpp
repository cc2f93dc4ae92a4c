// What `weir top` makes of the daemon's counters, from the counters themselves on.
#include "cli/top_rates.hpp"

#include <gtest/gtest.h>

#include "daemon/top_command.hpp"

namespace weir::cli {
namespace {

class TopRates : public testing::Test {
 protected:
  TopRates() {
    snapshot_.load_balancers.resize(1);
    snapshot_.load_balancers[0].arn = "lb";
    snapshot_.load_balancers[0].name = "web";
    snapshot_.target_groups.resize(1);
    snapshot_.target_groups[0].arn = "tg";
    snapshot_.target_groups[0].name = "one";
    for (const auto state : {routing::HealthState::healthy, routing::HealthState::unhealthy}) {
      routing::Target target;
      target.id = "i-" + std::to_string(snapshot_.target_groups[0].targets.size());
      target.port = 80;
      target.health = std::make_shared<routing::TargetHealthCell>();
      target.health->state = state;
      target.health->loads.of(1).connections.set(3);
      snapshot_.target_groups[0].targets.push_back(std::move(target));
    }
  }
  daemon::Json look(std::int64_t now_ms) {
    return daemon::top_json(ledger_.totals(), snapshot_, now_ms);
  }
  void serve(int requests, int us) {
    const auto balancer = cells_->balancer({"lb", "a"});
    const auto target = cells_->target({"tg", "i-0", 80});
    for (int i = 0; i < requests; ++i) {
      balancer->counts.add(telemetry::OfBalancer::requests);
      balancer->counts.add(telemetry::OfBalancer::target_2xx);
      balancer->response_time.record(us);
      target->counts.add(telemetry::OfTarget::requests);
      target->counts.add(telemetry::OfTarget::responses);
      target->counts.add(telemetry::OfTarget::response_time_us, static_cast<std::uint64_t>(us));
    }
    balancer->counts.add(telemetry::OfBalancer::elb_5xx, 4);
  }

  routing::Snapshot snapshot_;
  telemetry::Ledger ledger_;
  std::shared_ptr<telemetry::WorkerCells> cells_ = ledger_.add_worker();
};

TEST_F(TopRates, AreOfTheTimeBetweenTwoLooks) {
  serve(1'000, 90'000);  // before anybody looked
  const auto before = look(10'000);
  serve(100, 2'000);
  const auto rates = top_rates(before, look(12'000));
  EXPECT_EQ(rates["seconds"], 2.0);
  const auto& balancer = rates["load_balancers"][0];
  EXPECT_EQ(balancer["name"], "web");
  EXPECT_EQ(balancer["requests_per_second"], 50.0);
  EXPECT_EQ(balancer["2xx_per_second"], 50.0);
  EXPECT_EQ(balancer["5xx_per_second"], 2.0);
  EXPECT_NEAR(balancer["p50_ms"].get<double>(), 2, 0.25);
  EXPECT_NEAR(balancer["p99_ms"].get<double>(), 2, 0.25);
  const auto& target = rates["targets"][0];
  EXPECT_EQ(target["requests_per_second"], 50.0);
  EXPECT_EQ(target["mean_ms"], 2.0);
  EXPECT_EQ(target["health"], "healthy");
  EXPECT_EQ(target["connections"], 3);
  EXPECT_EQ(rates["targets"][1]["health"], "unhealthy");
  EXPECT_TRUE(rates["targets"][1]["mean_ms"].is_null());
  EXPECT_EQ(rates["target_groups"][0]["healthy"], 1);
  EXPECT_EQ(rates["target_groups"][0]["targets"], 2);
  EXPECT_EQ(rates["target_groups"][0]["connections"], 6);
}

TEST_F(TopRates, WhatIsNewBeginsAtNothingAndWhatBeganAnewIsNotNegative) {
  const auto full = [&] {
    serve(500, 1'000);
    return look(1'000);
  }();
  auto empty = full;
  empty["load_balancers"] = daemon::Json::array();
  EXPECT_EQ(top_rates(empty, full)["load_balancers"][0]["requests_per_second"], 0.0);
  auto restarted = full;
  restarted["time_ms"] = 2'000;
  restarted["load_balancers"][0]["requests"] = 20U;
  EXPECT_EQ(top_rates(full, restarted)["load_balancers"][0]["requests_per_second"], 20.0);
}

}  // namespace
}  // namespace weir::cli
