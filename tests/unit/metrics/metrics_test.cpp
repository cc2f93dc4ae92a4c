// Data, statistics, history by tiers, and the load balancers' metrics out of counters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>

#include "metrics/collector.hpp"
#include "metrics/load_balancing.hpp"
#include "metrics/metric_store.hpp"
#include "metrics/statistic.hpp"
#include "telemetry/totals.hpp"

namespace weir::metrics {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

double value(const Datum& datum, std::string_view statistic) {
  const auto parsed = parse_statistic(statistic);
  EXPECT_TRUE(parsed) << statistic;
  return parsed ? evaluate(datum, *parsed).value_or(NAN) : NAN;
}

Datum one_to_hundred() {
  Datum out;
  for (int i = 100; i >= 1; --i) out.merge(Datum::of(i));
  return out;
}

TEST(Statistic, OfAHundredValues) {
  const Datum datum = one_to_hundred();
  EXPECT_EQ(value(datum, "SampleCount"), 100);
  EXPECT_EQ(value(datum, "Sum"), 5050);
  EXPECT_EQ(value(datum, "Average"), 50.5);
  EXPECT_EQ(value(datum, "Minimum"), 1);
  EXPECT_EQ(value(datum, "Maximum"), 100);
  EXPECT_EQ(value(datum, "p50"), 50);
  EXPECT_EQ(value(datum, "p99"), 99);
  EXPECT_EQ(value(datum, "p99.9"), 100);
  EXPECT_EQ(value(datum, "p0"), 1);
  EXPECT_EQ(value(datum, "tm90"), 45.5);
  EXPECT_EQ(value(datum, "TM(10%:90%)"), 50.5);
  EXPECT_EQ(value(datum, "IQM"), 50.5);
  EXPECT_EQ(value(datum, "TC(90:)"), 10);
  EXPECT_EQ(value(datum, "TS(90:95)"), 91 + 92 + 93 + 94 + 95);
  EXPECT_EQ(value(datum, "wm90"), (4095 + 10 * 90) / 100.0);
  EXPECT_EQ(value(datum, "PR(:30)"), 30);
}

TEST(Statistic, RefusesWhatIsNone) {
  for (const char* name :
       {"", "average", "p", "p101", "p-1", "pnan", "tm", "tm101", "TM()", "TM(:)", "TM(90%:10%)",
        "TM(10%:20)", "PR(10%:20%)", "XX(1:2)", "p9x", "Q50"})
    EXPECT_FALSE(parse_statistic(name)) << name;
}

TEST(Statistic, NeedsTheValuesForPercentiles) {
  const Datum set{10, 100, 1, 50, {}};
  EXPECT_EQ(value(set, "Average"), 10);
  EXPECT_TRUE(std::isnan(value(set, "p50")));
  EXPECT_EQ(value({10, 50, 5, 5, {}}, "p50"), 5);
  EXPECT_FALSE(evaluate({}, *parse_statistic("Sum")));
}

TEST(Distribution, StaysBoundedAndNear) {
  Distribution many;
  for (int i = 1; i <= 5'000; ++i) many.merge(Distribution({{i * 0.001, 1}}));
  EXPECT_LE(many.points().size(), Distribution::points_max);
  double weight = 0;
  for (const auto& point : many.points()) weight += point.weight;
  EXPECT_EQ(weight, 5'000);
  const Datum datum{5'000, 12'502.5, 0.001, 5, many};
  EXPECT_NEAR(value(datum, "p50"), 2.5, 0.1);
  EXPECT_NEAR(value(datum, "p99"), 4.95, 0.2);
  EXPECT_EQ(Distribution::decode(many.encode()), many);

  std::vector<Distribution::Point> wide;
  for (int i = -500; i < 500; ++i) wide.push_back({std::ldexp(i < 0 ? -1 : 1, i), 1});
  EXPECT_LE(Distribution(wide).points().size(), Distribution::points_max);
}

TEST(Distribution, RefusesRubbish) {
  EXPECT_TRUE(Distribution::decode("123").empty());
  EXPECT_TRUE(Distribution::decode(std::string(32, '\xff')).empty());
  EXPECT_TRUE(Distribution::decode(std::string(16 * 1'000, '\0')).empty());
}

class MetricStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    folder_ = path;
    open();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open(Limits limits = {}) {
    store_.reset();
    auto store = MetricStore::open(
        folder_ + "/metrics.db", [this] { return now_s_ * 1'000; }, limits);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }
  Status put(double number, std::int64_t time_s, std::string unit = "Count",
             Joining joining = Joining::samples, MetricId metric = id_) {
    return store_->put({{std::move(metric), std::move(unit), time_s, Datum::of(number), joining}});
  }
  std::vector<std::pair<std::int64_t, double>> sums(std::int64_t start, std::int64_t end,
                                                    std::int64_t period,
                                                    std::optional<std::string> unit = {}) {
    std::vector<std::pair<std::int64_t, double>> out;
    const auto found = store_->query({id_, start, end, period, std::move(unit)});
    EXPECT_TRUE(found);
    for (const Period& one : *found) out.emplace_back(one.time_s, one.datum.sum);
    return out;
  }

  static inline const MetricId id_{"App", "Orders", {{"Shop", "a"}}};
  static constexpr std::int64_t hour = 1'800'000'000;  // a whole one
  std::string folder_;
  std::int64_t now_s_ = hour + 90;
  std::unique_ptr<MetricStore> store_;
};

TEST_F(MetricStoreTest, TheMinuteUnderWayIsThereAtOnce) {
  ASSERT_TRUE(put(3, hour + 61));
  ASSERT_TRUE(put(4, hour + 89));
  ASSERT_TRUE(put(5, hour + 59));
  EXPECT_THAT(sums(hour, hour + 120, 60), ElementsAre(std::pair(hour, 5), std::pair(hour + 60, 7)));
  EXPECT_THAT(sums(hour, hour + 60, 60), ElementsAre(std::pair(hour, 5)));
  EXPECT_THAT(sums(hour, hour + 300, 300), ElementsAre(std::pair(hour, 12)));
}

TEST_F(MetricStoreTest, ARestartKeepsAllOfIt) {
  ASSERT_TRUE(put(3, hour + 10));
  ASSERT_TRUE(store_->flush());
  ASSERT_TRUE(put(4, hour + 70));
  open();
  ASSERT_TRUE(put(5, hour + 75));
  EXPECT_THAT(sums(hour, hour + 120, 60), ElementsAre(std::pair(hour, 3), std::pair(hour + 60, 9)));
  EXPECT_THAT(store_->list({}), ElementsAre(id_));
  const auto found = store_->query({id_, hour, hour + 300, 300, {}});
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(value(found->front().datum, "p50"), 4);
  EXPECT_EQ(value(found->front().datum, "SampleCount"), 3);
}

TEST_F(MetricStoreTest, WhatIsOldIsLeftByFiveMinutesAndHours) {
  for (int minute = 0; minute < 60; ++minute) ASSERT_TRUE(put(1, hour + minute * 60));
  now_s_ = hour + 3'600;
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(sums(hour, hour + 3'600, 60).size(), 60U);
  now_s_ = hour + 26 * 3'600;  // more than a day later
  ASSERT_TRUE(store_->flush());
  EXPECT_THAT(sums(hour, hour + 3'600, 60), IsEmpty());
  EXPECT_EQ(sums(hour, hour + 3'600, 300).size(), 12U);
  EXPECT_THAT(sums(hour + 60, hour + 3'600, 3'600), ElementsAre(std::pair(hour, 60)));
  now_s_ = hour + 4 * 24 * 3'600;
  ASSERT_TRUE(store_->flush());
  EXPECT_THAT(sums(hour, hour + 3'600, 300), IsEmpty());
  EXPECT_THAT(sums(hour, hour + 3'600, 3'600), ElementsAre(std::pair(hour, 60)));
  now_s_ = hour + 16 * 24 * 3'600;
  ASSERT_TRUE(store_->flush());
  EXPECT_THAT(store_->list({}), IsEmpty());
}

TEST_F(MetricStoreTest, UnitsAreApart) {
  ASSERT_TRUE(put(1, hour, "Count"));
  ASSERT_TRUE(put(2, hour, "Bytes"));
  EXPECT_THAT(sums(hour, hour + 60, 60, "Bytes"), ElementsAre(std::pair(hour, 2)));
  EXPECT_EQ(sums(hour, hour + 60, 60).size(), 2U);
}

TEST_F(MetricStoreTest, TotalsAddUpToOneSampleAndGaugesAreReplaced) {
  for (const double number : {3.0, 4.0}) ASSERT_TRUE(put(number, hour, "Count", Joining::total));
  auto found = store_->query({id_, hour, hour + 60, 60, {}});
  EXPECT_EQ(found->at(0).datum.sample_count, 1);
  EXPECT_EQ(found->at(0).datum.sum, 7);
  for (const double number : {9.0, 2.0})
    ASSERT_TRUE(put(number, hour + 60, "Count", Joining::gauge));
  found = store_->query({id_, hour + 60, hour + 120, 60, {}});
  EXPECT_EQ(found->at(0).datum.sum, 2);
  EXPECT_EQ(found->at(0).datum.maximum, 9);
}

TEST_F(MetricStoreTest, ListsByWhatIsAskedFor) {
  const MetricId other{"App", "Orders", {{"Shop", "b"}, {"Zone", "z"}}};
  ASSERT_TRUE(put(1, hour));
  ASSERT_TRUE(put(1, hour + 60, "Count", Joining::samples, other));
  EXPECT_THAT(store_->list({"App", "", {{"Shop", std::nullopt}}, 0}), ElementsAre(id_, other));
  EXPECT_THAT(store_->list({"", "Orders", {{"Shop", "b"}}, 0}), ElementsAre(other));
  EXPECT_THAT(store_->list({"", "", {{"Zone", std::nullopt}}, 0}), ElementsAre(other));
  EXPECT_THAT(store_->list({"", "", {}, hour + 60}), ElementsAre(other));
  EXPECT_THAT(store_->list({"Other", "", {}, 0}), IsEmpty());
}

TEST_F(MetricStoreTest, RefusesMoreSeriesThanItsLimit) {
  Limits few;
  few.series_max = 2;
  few.pending_max = 3;
  open(few);
  for (const char* shop : {"a", "b"})
    ASSERT_TRUE(put(1, hour, "Count", Joining::samples, {"App", "Orders", {{"Shop", shop}}}));
  const auto refused = put(1, hour, "Count", Joining::samples, {"App", "Orders", {{"Shop", "c"}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "LimitExceeded");
  for (int minute = 0; minute < 10; ++minute) ASSERT_TRUE(put(1, hour + minute * 60));
  EXPECT_EQ(sums(hour, hour + 3'600, 60).size(), 10U);  // written early, and still all there
}

TEST_F(MetricStoreTest, ADatabaseThatIsTooLargeKeepsLess) {
  Limits small;
  small.database_bytes_max = 1;
  open(small);
  ASSERT_TRUE(put(1, hour));
  now_s_ = hour + 3'600;
  ASSERT_TRUE(store_->flush());
  EXPECT_THAT(sums(hour, hour + 60, 60), IsEmpty());
}

TEST_F(MetricStoreTest, KeepsRecords) {
  ASSERT_TRUE(store_->put_record("alarm", "a", "{}"));
  ASSERT_TRUE(store_->put_record("alarm", "b", "{}"));
  ASSERT_TRUE(store_->put_record("alarm", "a", std::nullopt));
  open();
  EXPECT_THAT(*store_->load_records("alarm"), ElementsAre(std::pair("b", "{}")));
  EXPECT_THAT(*store_->load_records("other"), IsEmpty());
}

// ---------------------------------------------------------------- load balancing
const std::string balancer_arn =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";
const std::string group_arn =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/one/73e2d6bc24d8a067";

std::shared_ptr<routing::Snapshot> snapshot_of_two_zones() {
  auto out = std::make_shared<routing::Snapshot>();
  out->load_balancers.resize(1);
  out->load_balancers[0].arn = balancer_arn;
  out->target_groups.resize(1);
  routing::TargetGroup& group = out->target_groups[0];
  group.arn = group_arn;
  group.load_balancer_arn = balancer_arn;
  using enum routing::HealthState;
  for (const auto& [zone, state] :
       {std::pair("us-east-1a", healthy), std::pair("us-east-1a", healthy),
        std::pair("us-east-1b", unhealthy)}) {
    routing::Target target;
    target.id = "i-" + std::to_string(group.targets.size());
    target.zone = zone;
    target.health = std::make_shared<routing::TargetHealthCell>();
    target.health->state = state;
    group.targets.push_back(std::move(target));
  }
  return out;
}

class LoadBalancingTest : public MetricStoreTest {
 protected:
  LoadBalancingTest() { ledger_->set_snapshot(snapshot_of_two_zones()); }

  void serve(int requests, const std::string& zone = "us-east-1a") {
    const auto balancer = cells_->balancer({balancer_arn, zone});
    const auto group = cells_->group({group_arn, zone});
    for (int i = 0; i < requests; ++i) {
      balancer->counts.add(telemetry::OfBalancer::dispatched);
      balancer->counts.add(telemetry::OfBalancer::received_bytes, 100);
      balancer->counts.add(telemetry::OfBalancer::sent_bytes, 900);
      balancer->response_time.record(2'000);
      group->counts.add(telemetry::OfGroup::requests);
      group->counts.add(telemetry::OfGroup::target_2xx);
      group->response_time.record(2'000);
    }
  }
  Datum datum(const std::string& name, std::map<std::string, std::string> dimensions,
              std::int64_t minute = hour + 60) {
    const auto found = store_->query(
        {{load_balancing_namespace, name, std::move(dimensions)}, minute, minute + 60, 60, {}});
    return found && found->size() == 1 ? found->front().datum : Datum{};
  }

  const std::string lb_ = "app/web/50dc6c495c0c9188";
  const std::string tg_ = "targetgroup/one/73e2d6bc24d8a067";
  std::shared_ptr<telemetry::Ledger> ledger_ = std::make_shared<telemetry::Ledger>();
  std::shared_ptr<telemetry::WorkerCells> cells_ = ledger_->add_worker();
};

TEST_F(LoadBalancingTest, CountsByAllSetsOfDimensions) {
  Collector collector(*store_, ledger_, [this] { return now_s_ * 1'000; });
  serve(4);
  serve(1, "us-east-1b");
  store_->refresh();
  for (const auto& [dimensions, count] :
       std::vector<std::pair<std::map<std::string, std::string>, int>>{
           {{{"LoadBalancer", lb_}}, 5},
           {{{"LoadBalancer", lb_}, {"AvailabilityZone", "us-east-1a"}}, 4},
           {{{"LoadBalancer", lb_}, {"TargetGroup", tg_}}, 5},
           {{{"LoadBalancer", lb_}, {"TargetGroup", tg_}, {"AvailabilityZone", "us-east-1b"}},
            1}}) {
    EXPECT_EQ(value(datum("RequestCount", dimensions), "Sum"), count);
    EXPECT_EQ(value(datum("TargetResponseTime", dimensions), "SampleCount"), count);
    EXPECT_NEAR(value(datum("TargetResponseTime", dimensions), "p99"), 0.002, 0.00025);
  }
  EXPECT_EQ(value(datum("ProcessedBytes", {{"LoadBalancer", lb_}}), "Sum"), 5'000);
  EXPECT_EQ(value(datum("ProcessedBytes", {{"LoadBalancer", lb_}}), "SampleCount"), 1);
  EXPECT_EQ(value(datum("HTTPCode_Target_2XX_Count", {{"LoadBalancer", lb_}, {"TargetGroup", tg_}}),
                  "Sum"),
            5);
  // Two healthy targets in the group; in the zone without one, the registered count.
  EXPECT_EQ(value(datum("RequestCountPerTarget", {{"TargetGroup", tg_}}), "Sum"), 2.5);
  EXPECT_EQ(value(datum("RequestCountPerTarget",
                        {{"TargetGroup", tg_}, {"AvailabilityZone", "us-east-1b"}}),
                  "Sum"),
            1);
  EXPECT_EQ(datum("HTTPCode_ELB_5XX_Count", {{"LoadBalancer", lb_}}).sample_count, 0);
}

TEST_F(LoadBalancingTest, EachRequestIsCountedOnceInTheMinuteThatSawIt) {
  Collector collector(*store_, ledger_, [this] { return now_s_ * 1'000; });
  serve(4);
  store_->refresh();
  serve(2);
  store_->refresh();
  store_->refresh();
  now_s_ = hour + 120;  // the look at the minute's end
  serve(1);
  store_->refresh();
  serve(8);
  store_->refresh();
  EXPECT_EQ(value(datum("RequestCount", {{"LoadBalancer", lb_}}), "Sum"), 7);
  EXPECT_EQ(value(datum("RequestCount", {{"LoadBalancer", lb_}}, hour + 120), "Sum"), 8);
}

TEST_F(LoadBalancingTest, CountsHostsByZone) {
  ASSERT_TRUE(store_->put(LoadBalancingMetrics::hosts(*snapshot_of_two_zones(), now_s_)));
  const std::map<std::string, std::string> whole{{"LoadBalancer", lb_}, {"TargetGroup", tg_}};
  EXPECT_EQ(value(datum("HealthyHostCount", whole), "Average"), 2);
  EXPECT_EQ(value(datum("UnHealthyHostCount", whole), "Maximum"), 1);
  auto zone = whole;
  zone["AvailabilityZone"] = "us-east-1b";
  EXPECT_EQ(value(datum("HealthyHostCount", zone), "Minimum"), 0);
  EXPECT_EQ(value(datum("HealthyHostCount", zone), "SampleCount"), 1);
  EXPECT_EQ(value(datum("UnHealthyHostCount", zone), "Average"), 1);
}

}  // namespace
}  // namespace weir::metrics
