// CloudWatch's calls as a client sends them, without HTTP, on a store of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "aws/cloudwatch/cloudwatch_service.hpp"
#include "aws/description/description.hpp"
#include "aws/protocol/query_decoder.hpp"
#include "aws/protocol/validate.hpp"
#include "aws/protocol/xml.hpp"
#include "base/clock.hpp"

namespace weir::aws {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

class CloudWatch : public testing::Test {
 protected:
  static constexpr std::int64_t hour = 1'800'000'000;

  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    folder_ = path;
    const auto clock = [] { return (hour + 90) * 1'000; };
    auto store = metrics::MetricStore::open(folder_ + "/metrics.db", clock);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    handlers_ = cloudwatch_handlers({*store_, clock});
    auto read = parse_description(embedded_description("cloudwatch"));
    ASSERT_TRUE(read) << read.error().message;
    description_ = std::move(*read);
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Result<Value> call(const std::string& name, const Parameters& parameters) {
    const Operation& operation = description_->operations.at(name);
    auto input = decode_query(Protocol::query, operation.input, parameters);
    if (!input) return std::unexpected(input.error());
    if (auto valid = validate(Protocol::query, *operation.input, *input); !valid)
      return std::unexpected(valid.error());
    auto output = handlers_.at(name)(Caller(), *input);
    if (!output) return output;
    const auto xml = encode_xml(*description_, Protocol::query, operation, *output, "id");
    EXPECT_TRUE(xml) << name << ": " << xml.error().message;
    return output;
  }
  std::string code(const std::string& name, const Parameters& parameters) {
    const auto done = call(name, parameters);
    return done ? "ok" : done.error().code;
  }
  // PutMetricData of one datum.
  std::string put(Parameters datum, const std::string& name_space = "Shop") {
    Parameters all{{"Namespace", name_space}, {"MetricData.member.1.MetricName", "Orders"}};
    for (auto& [key, value] : datum) all.emplace_back("MetricData.member.1." + key, value);
    return code("PutMetricData", all);
  }
  static Parameters statistics(Parameters more) {
    Parameters all{{"Namespace", "Shop"},
                   {"MetricName", "Orders"},
                   {"StartTime", iso8601(hour * 1'000)},
                   {"EndTime", iso8601((hour + 300) * 1'000)}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::string folder_;
  std::unique_ptr<metrics::MetricStore> store_;
  Handlers handlers_;
  std::unique_ptr<const Description> description_;
};

TEST_F(CloudWatch, WhatIsPutIsListedAndRead) {
  const Parameters shop{{"Dimensions.member.1.Name", "City"},
                        {"Dimensions.member.1.Value", "Paris"}};
  for (const char* value : {"1", "2", "9"}) {
    auto datum = shop;
    datum.insert(datum.end(), {{"Value", value}, {"Unit", "Count"}});
    ASSERT_EQ(put(datum), "ok");
  }
  const auto listed =
      call("ListMetrics", {{"Namespace", "Shop"}, {"Dimensions.member.1.Name", "City"}});
  ASSERT_EQ(listed->list("Metrics").size(), 1U);
  EXPECT_EQ(listed->list("Metrics")[0].text("MetricName"), "Orders");

  auto wanted = shop;
  wanted.insert(wanted.end(), {{"Period", "60"},
                               {"Statistics.member.1", "Sum"},
                               {"Statistics.member.2", "Average"},
                               {"ExtendedStatistics.member.1", "p50"}});
  const auto found = call("GetMetricStatistics", statistics(wanted));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->list("Datapoints").size(), 1U);
  const Value& point = found->list("Datapoints")[0];
  EXPECT_EQ(point.time("Timestamp")->ms, (hour + 60) * 1'000);
  EXPECT_EQ(point.number("Sum"), 12);
  EXPECT_EQ(point.number("Average"), 4);
  EXPECT_EQ(point.find("ExtendedStatistics")->number("p50"), 2);
  EXPECT_EQ(point.text("Unit"), "Count");
  EXPECT_FALSE(point.has("Maximum"));
}

TEST_F(CloudWatch, ReadsManyMetricsAtOnce) {
  const auto at = [](int minute) { return iso8601((hour - minute * 60) * 1'000); };
  ASSERT_EQ(put({{"Value", "5"}, {"Timestamp", at(2)}}), "ok");
  ASSERT_EQ(put({{"Values.member.1", "1"},
                 {"Values.member.2", "3"},
                 {"Counts.member.1", "4"},
                 {"Counts.member.2", "2"},
                 {"Timestamp", at(1)}}),
            "ok");
  Parameters wanted{{"StartTime", at(5)}, {"EndTime", at(0)}};
  const auto add = [&](const std::string& number, const std::string& id, const std::string& stat) {
    const std::string in = "MetricDataQueries.member." + number + ".";
    wanted.insert(wanted.end(), {{in + "Id", id},
                                 {in + "MetricStat.Stat", stat},
                                 {in + "MetricStat.Period", "60"},
                                 {in + "MetricStat.Metric.Namespace", "Shop"},
                                 {in + "MetricStat.Metric.MetricName", "Orders"}});
  };
  add("1", "sums", "Sum");
  add("2", "counts", "SampleCount");
  const auto found = call("GetMetricData", wanted);
  ASSERT_TRUE(found) << found.error().message;
  const auto& results = found->list("MetricDataResults");
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].text("StatusCode"), "Complete");
  ASSERT_EQ(results[0].list("Values").size(), 2U);
  EXPECT_EQ(std::get<double>(results[0].list("Values")[0].held()), 10);  // the newest first
  EXPECT_EQ(std::get<double>(results[1].list("Values")[0].held()), 6);
  wanted.emplace_back("MaxDatapoints", "1");
  EXPECT_EQ(call("GetMetricData", wanted)->list("MetricDataResults")[0].text("StatusCode"),
            "PartialData");
  add("3", "sums", "Sum");
  EXPECT_EQ(code("GetMetricData", wanted), "ValidationError");  // an id twice
}

TEST_F(CloudWatch, RefusesDataThatAreNone) {
  EXPECT_EQ(put({}), "InvalidParameterCombination");
  EXPECT_EQ(put({{"Value", "1"}, {"Values.member.1", "1"}}), "InvalidParameterCombination");
  EXPECT_EQ(put({{"Value", "1e300"}}), "InvalidParameterValue");
  EXPECT_EQ(put({{"Value", "NaN"}}), "MalformedInput");
  EXPECT_EQ(put({{"Value", "1"}}, "AWS/EC2"), "InvalidParameterValue");
  EXPECT_EQ(put({{"Value", "1"}, {"Timestamp", iso8601((hour - 15 * 86'400) * 1'000)}}),
            "InvalidParameterValue");
  EXPECT_EQ(put({{"Value", "1"}, {"Timestamp", iso8601((hour + 3 * 3'600) * 1'000)}}),
            "InvalidParameterValue");
  EXPECT_EQ(put({{"Values.member.1", "1"}, {"Counts.member.1", "1"}, {"Counts.member.2", "1"}}),
            "InvalidParameterValue");
  EXPECT_EQ(put({{"Value", "1"}, {"Unit", "Apples"}}), "ValidationError");
  EXPECT_EQ(put({{"StatisticValues.SampleCount", "0"},
                 {"StatisticValues.Sum", "0"},
                 {"StatisticValues.Minimum", "0"},
                 {"StatisticValues.Maximum", "0"}}),
            "InvalidParameterValue");
  EXPECT_EQ(call("ListMetrics", {})->list("Metrics").size(), 0U);
}

TEST_F(CloudWatch, RefusesQuestionsThatAreNone) {
  EXPECT_EQ(code("GetMetricStatistics", statistics({{"Period", "60"}})), "MissingParameter");
  EXPECT_EQ(
      code("GetMetricStatistics", statistics({{"Period", "61"}, {"Statistics.member.1", "Sum"}})),
      "InvalidParameterValue");
  EXPECT_EQ(code("GetMetricStatistics",
                 statistics({{"Period", "60"}, {"ExtendedStatistics.member.1", "q1"}})),
            "InvalidParameterValue");
  EXPECT_EQ(code("GetMetricStatistics", {{"Namespace", "Shop"},
                                         {"MetricName", "Orders"},
                                         {"StartTime", iso8601(0)},
                                         {"EndTime", iso8601(hour * 1'000)},
                                         {"Period", "60"},
                                         {"Statistics.member.1", "Sum"}}),
            "InvalidParameterCombination");
  EXPECT_EQ(code("ListMetrics", {{"NextToken", "made up"}}), "InvalidParameterValue");
}

TEST_F(CloudWatch, ListsByPages) {
  for (int i = 0; i < 501; ++i) {
    ASSERT_TRUE(store_->put({{{"Shop", "Orders" + std::to_string(i), {}},
                              "Count",
                              hour,
                              metrics::Datum::of(1),
                              metrics::Joining::samples}}));
  }
  const auto first = call("ListMetrics", {});
  ASSERT_EQ(first->list("Metrics").size(), 500U);
  const auto second = call("ListMetrics", {{"NextToken", first->text("NextToken")}});
  EXPECT_EQ(second->list("Metrics").size(), 1U);
  EXPECT_FALSE(second->has("NextToken"));
}

}  // namespace
}  // namespace weir::aws
