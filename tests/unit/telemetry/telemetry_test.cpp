// Counters, histograms, the ring, rotation, and the lines of the access log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "telemetry/count_request.hpp"
#include "telemetry/histogram.hpp"
#include "telemetry/log_format.hpp"
#include "telemetry/log_ring.hpp"
#include "telemetry/prometheus.hpp"
#include "telemetry/rotating_file.hpp"
#include "telemetry/totals.hpp"

namespace weir::telemetry {
namespace {

TEST(Histogram, EveryValueLiesInItsBucketAndBucketsAreNarrow) {
  for (std::uint64_t us = 0; us < (1U << Buckets::bits_max); us = us * 9 / 8 + 1) {
    const std::size_t bucket = Buckets::of(us);
    ASSERT_LE(Buckets::start(bucket), us);
    ASSERT_GT(Buckets::start(bucket + 1), us);
    ASSERT_LE(Buckets::start(bucket + 1) - Buckets::start(bucket),
              std::max<std::uint64_t>(us / 8, 1));
  }
  EXPECT_EQ(Buckets::of(~std::uint64_t{0}), Buckets::count - 1);
}

TEST(Histogram, QuantilesAreWithinAnEighth) {
  Histogram histogram;
  for (int us = 1; us <= 10'000; ++us) histogram.record(us);
  HistogramValues values;
  histogram.add_to(values);
  EXPECT_EQ(values.samples, 10'000U);
  EXPECT_NEAR(values.quantile_us(0.5), 5'000, 625);
  EXPECT_NEAR(values.quantile_us(0.99), 9'900, 1'240);
  EXPECT_DOUBLE_EQ(values.mean_us(), 5'000.5);
  EXPECT_EQ(values.at_most(1023), 1023U);
}

TEST(LogRing, GivesBackWhatWasPutInInOrderAcrossTheEnd) {
  LogRing ring(1024);
  std::string out;
  for (int i = 0; i < 1000; ++i) {
    const std::string record(static_cast<std::size_t>(i % 200), static_cast<char>('a' + i % 26));
    ASSERT_TRUE(ring.push(record));
    ASSERT_TRUE(ring.push("x"));
    ASSERT_TRUE(ring.pop(out));
    EXPECT_EQ(out, record);
    ASSERT_TRUE(ring.pop(out));
    EXPECT_EQ(out, "x");
  }
  EXPECT_FALSE(ring.pop(out));
}

TEST(LogRing, RefusesWhatHasNoRoomAndGoesOn) {
  LogRing ring(64);
  EXPECT_TRUE(ring.push(std::string(40, 'a')));
  EXPECT_FALSE(ring.push(std::string(40, 'b')));
  EXPECT_FALSE(ring.push(std::string(100, 'c')));
  std::string out;
  EXPECT_TRUE(ring.pop(out));
  EXPECT_TRUE(ring.push(std::string(60, 'd')));
  EXPECT_TRUE(ring.pop(out));
  EXPECT_EQ(out, std::string(60, 'd'));
}

TEST(LogRing, TwoThreadsLoseNothing) {
  LogRing ring(4096);
  std::thread producer([&] {
    for (int i = 0; i < 20'000; ++i) {
      while (!ring.push(std::to_string(i))) std::this_thread::yield();
    }
  });
  std::string out;
  for (int i = 0; i < 20'000; ++i) {
    while (!ring.pop(out)) std::this_thread::yield();
    ASSERT_EQ(out, std::to_string(i));
  }
  producer.join();
}

LogEntry entry() {
  LogEntry out;
  out.numbers = {.created_us = 1'772'442'900'185'000,
                 .ended_us = 1'772'442'900'186'641,
                 .request_us = 400,
                 .target_us = 1'100,
                 .response_us = 20,
                 .received_bytes = 134,
                 .sent_bytes = 366,
                 .connection_id = 0x1234abcd5678ef90,
                 .elb_status = 200,
                 .target_status = 200,
                 .rule_priority = 0,
                 .client_port = 2817,
                 .target_port = 8080,
                 .listener_port = 80,
                 .executed = static_cast<std::uint8_t>(Executed::forward)};
  out.text(EntryText::method) = "GET";
  out.text(EntryText::target) = "/";
  out.text(EntryText::authority) = "www.example.test";
  out.text(EntryText::user_agent) = "curl/8.5.0";
  out.text(EntryText::trace_id) = "Root=1-69a55584-36d228ad5d99923122bbe354";
  out.text(EntryText::load_balancer_arn) =
      "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/weir/50dc6c495c0c9188";
  out.text(EntryText::dns_name) = "weir-1.us-east-1.elb.localhost";
  out.text(EntryText::node_ip) = "203.0.113.10";
  out.text(EntryText::client_ip) = "198.51.100.7";
  out.text(EntryText::target_ip) = "172.31.5.10";
  out.text(EntryText::target_group_arn) =
      "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/73e2d6bc24d8a067";
  return out;
}

std::string alb(const LogEntry& of) {
  std::string line;
  append_alb_line(line, of);
  return line;
}

TEST(AccessLog, ALineOfAForwardedRequest) {
  EXPECT_EQ(alb(entry()),
            "http 2026-03-02T09:15:00.186641Z app/weir/50dc6c495c0c9188 198.51.100.7:2817 "
            "172.31.5.10:8080 0.000 0.001 0.000 200 200 134 366 "
            "\"GET http://www.example.test:80/ HTTP/1.1\" \"curl/8.5.0\" - - "
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/73e2d6bc24d8a067 "
            "\"Root=1-69a55584-36d228ad5d99923122bbe354\" \"-\" \"-\" 0 "
            "2026-03-02T09:15:00.185000Z \"forward\" \"-\" \"-\" \"172.31.5.10:8080\" \"200\" "
            "\"-\" \"-\" TID_1234abcd5678ef90 \"-\" \"-\" \"-\" 203.0.113.10\n");
}

TEST(AccessLog, WhatWasNoRequest) {
  LogEntry refused;
  refused.numbers.elb_status = 400;
  refused.numbers.listener_port = 80;
  refused.numbers.desync_class = http::DesyncClass::severe;
  refused.numbers.desync_reason = http::DesyncReason::bad_header;
  refused.text(EntryText::dns_name) = "weir-1.test";
  refused.text(EntryText::client_ip) = "::1";
  EXPECT_THAT(alb(refused), testing::HasSubstr(" [::1]:0 - -1 -1 -1 400 - 0 0 "
                                               "\"- http://weir-1.test:80- -\" \"-\" - - - "));
  EXPECT_THAT(alb(refused), testing::HasSubstr("\"Severe\" \"BadHeader\""));
}

TEST(AccessLog, NoByteOfAClientEndsAField) {
  LogEntry hostile = entry();
  hostile.text(EntryText::user_agent) = "a\" \n\\\x80";
  EXPECT_THAT(alb(hostile), testing::HasSubstr("\"a\\x22 \\x0A\\x5C\\x80\""));
  EXPECT_EQ(std::ranges::count(alb(hostile), '\n'), 1);
  std::string json;
  append_json_line(json, hostile);
  EXPECT_THAT(json, testing::HasSubstr("\"user_agent\":\"a\\u0022 \\u000A\\u005C\\u0080\""));
  EXPECT_THAT(json, testing::HasSubstr("\"elb_status_code\":200,"));
  EXPECT_THAT(json, testing::HasSubstr("\"ssl_cipher\":null,"));
}

TEST(AccessLog, AnEntrySurvivesTheRing) {
  std::string bytes;
  pack(entry(), bytes);
  EXPECT_EQ(alb(unpack<LogEntry>(bytes)), alb(entry()));
}

TEST(RotatingFile, KeepsSoManyFilesAndLosesNoLine) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("weir-rotate-" + std::to_string(::getpid()));
  const std::string path = folder / "deep" / "access.log";
  RotatingFile file(path, 20, 2);
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(file.write("line " + std::to_string(i) + " 123\n"));
  const auto content = [](const std::string& name) {
    std::ifstream in(name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_EQ(content(path), "line 6 123\nline 7 123\n");
  EXPECT_EQ(content(path + ".1"), "line 4 123\nline 5 123\n");
  EXPECT_EQ(content(path + ".2"), "line 2 123\nline 3 123\n");
  EXPECT_FALSE(std::filesystem::exists(path + ".3"));
  std::filesystem::remove_all(folder);
}

TEST(Ledger, SumsWorkersAndZones) {
  Ledger ledger;
  auto one = ledger.add_worker();
  auto two = ledger.add_worker();
  one->balancer({"lb", "a"})->counts.add(OfBalancer::requests, 2);
  two->balancer({"lb", "a"})->counts.add(OfBalancer::requests, 3);
  two->balancer({"lb", "b"})->counts.add(OfBalancer::requests, 4);
  two->balancer({"lb2", "b"})->counts.add(OfBalancer::requests, 100);
  const Totals totals = ledger.totals();
  EXPECT_EQ(totals.balancers.at({"lb", "a"}).counts[OfBalancer::requests], 5U);
  EXPECT_EQ(totals.balancer("lb").counts[OfBalancer::requests], 9U);
}

TEST(WorkerCells, KeepWhatIsInUseAndDropTheRestInTime) {
  WorkerCells cells;
  const auto used = cells.balancer({"used", ""});
  (void)cells.balancer({"unused", ""});
  struct Names {
    std::vector<std::string> seen;
    void balancer(const ZoneKey& key, const BalancerCells&) { seen.push_back(key.first); }
    void group(const ZoneKey&, const GroupCells&) {}
    void target(const TargetKey&, const TargetCells&) {}
  };
  cells.prune(1000);
  Names before;
  cells.read(before);
  EXPECT_THAT(before.seen, testing::ElementsAre("unused", "used"));
  cells.prune(1001 + WorkerCells::kept_ms);
  Names after;
  cells.read(after);
  EXPECT_THAT(after.seen, testing::ElementsAre("used"));
}

TEST(CountRequest, OwnAnswersAndTargetsAnswersAreKeptApart) {
  BalancerCells cells;
  RequestRecord record;
  record.elb_status = 502;
  count_request(cells, record);
  record.elb_status = record.target_status = 502;
  record.is_from_target = true;
  count_request(cells, record);
  EXPECT_EQ(cells.counts[OfBalancer::requests].value(), 2U);
  EXPECT_EQ(cells.counts[OfBalancer::elb_5xx].value(), 1U);
  EXPECT_EQ(cells.counts[OfBalancer::elb_502].value(), 1U);
  EXPECT_EQ(cells.counts[OfBalancer::target_5xx].value(), 1U);
}

TEST(Prometheus, EveryLineIsOfTheFormat) {
  Ledger ledger;
  auto worker = ledger.add_worker();
  worker->balancer({"arn:aws:x:loadbalancer/app/w\"eb/1", "a"})->response_time.record(100);
  worker->group({"arn:aws:x:targetgroup/g/1", "a"})->counts.add(OfGroup::requests, 7);
  (void)worker->target({"arn:aws:x:targetgroup/g/1", "i-1", 80});
  const std::string text = prometheus_text(ledger.totals(), *ledger.snapshot());
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    EXPECT_THAT(line, testing::AnyOf(
                          testing::MatchesRegex("# HELP weir_[a-z0-9_]+ .+"),
                          testing::MatchesRegex("# TYPE weir_[a-z0-9_]+ (counter|gauge|histogram)"),
                          testing::MatchesRegex("weir_[a-z0-9_]+[{].*\"[}] [0-9.e-]+")));
  }
  EXPECT_THAT(text, testing::HasSubstr("load_balancer=\"app/w\\\"eb/1\""));
  EXPECT_THAT(text,
              testing::HasSubstr("weir_group_requests_total{target_group=\"g/1\",zone=\"a\"} 7\n"));
  EXPECT_THAT(text, testing::HasSubstr("zone=\"a\",le=\"6.4e-05\"} 0\n"));
  EXPECT_THAT(text, testing::HasSubstr("zone=\"a\",le=\"0.000128\"} 1\n"));
}

}  // namespace
}  // namespace weir::telemetry
