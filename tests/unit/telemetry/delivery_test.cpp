// Logs on their way into buckets: names, intervals by a clock of the test's own, and what a daemon
// that ended or was killed leaves behind.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "../daemon/temporary_folder.hpp"
#include "telemetry/connection_line.hpp"
#include "telemetry/health_check_line.hpp"
#include "telemetry/log_entry.hpp"
#include "telemetry/logs.hpp"
#include "telemetry/object_names.hpp"

namespace weir::telemetry {
namespace {

namespace fs = std::filesystem;
using routing::LogPolicy;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

const std::string arn =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";
constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t noon_us = 1'772'452'800 * second_us;  // 2026-03-02T12:00:00Z

const std::string day = "AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/03/02/";
const std::string stem = "123456789012_elasticloadbalancing_us-east-1_app.web.50dc6c495c0c9188";

TEST(ObjectNames, AreThoseOfAws) {
  const auto name = [](LogKind kind, const LogPolicy::Bucket& bucket) {
    const auto names = ObjectNames::of(arn, kind, bucket);
    return *object_name(*sealed_name(names->part("10.0.0.4"), noon_us, "0123abcd"));
  };
  EXPECT_EQ(name(LogKind::access, {"my-logs", ""}),
            "my-logs/" + day + stem + "_20260302T1200Z_10.0.0.4_0123abcd.log.gz");
  EXPECT_EQ(name(LogKind::connection, {"my-logs", "a/b"}),
            "my-logs/a/b/" + day + "conn_log_" + stem + "_20260302T1200Z_10.0.0.4_0123abcd.log.gz");
  EXPECT_EQ(name(LogKind::health_check, {"my-logs", "a_b"}),
            "my-logs/a_b/" + day + "health_check_log_" + stem +
                "_20260302T1200Z_10.0.0.4_0123abcd.log.gz");
  EXPECT_EQ(ObjectNames::of(arn, LogKind::connection, {"b", "p"})->test_object(),
            "b/p/AWSLogs/123456789012/ELBConnectionLogTestFile");
}

TEST(ObjectNames, LeadNowhereElse) {
  const std::string begin = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/";
  EXPECT_FALSE(ObjectNames::of(begin + "../../x", LogKind::access, {"b", ""}));
  EXPECT_FALSE(ObjectNames::of("arn:aws:elasticloadbalancing:../..:1:loadbalancer/app/a/b",
                               LogKind::access, {"b", ""}));
  EXPECT_FALSE(ObjectNames::of("lb", LogKind::access, {"b", ""}));
  EXPECT_THAT(ObjectNames::of(arn, LogKind::access, {"b", ""})->part("../x"),
              testing::EndsWith("50dc6c495c0c9188_-.part"));
  for (const char* name :
       {"", "x", "x.part", "b/x.log", "b/a_b_c.log", "b/x_2026030aT1200Z_-_1.log"})
    EXPECT_FALSE(object_name(name)) << name;
}

TEST(ObjectNames, AnIntervalEndsAtWholeFiveMinutes) {
  EXPECT_EQ(interval_end_us(noon_us), noon_us + 300 * second_us);
  EXPECT_EQ(interval_end_us(noon_us - 1), noon_us);
}

class DeliveryTest : public testing::Test {
 protected:
  DeliveryTest() { start(); }

  void start() {
    logs_.reset();
    logs_ = std::make_unique<Logs>(
        Logs::Options{path("logs"), path("parts"), path("s3"), [this] { return now_us_.load(); }});
    ring_ = logs_->add_writer();
  }
  void apply(const LogPolicy& policy, LogKind kind = LogKind::access) {
    routing::Snapshot snapshot;
    snapshot.load_balancers.emplace_back().arn = arn;
    snapshot.load_balancers.back().logs[kind] = policy;
    logs_->apply(snapshot);
  }
  void log(const std::string& node_ip, const std::string& agent) {
    LogEntry entry;
    entry.text(EntryText::load_balancer_arn) = arn;
    entry.text(EntryText::node_ip) = node_ip;
    entry.text(EntryText::user_agent) = agent;
    std::string bytes;
    pack(entry, bytes);
    ASSERT_TRUE(ring_->push(bytes));
  }
  void end_interval() {
    logs_->flush();
    now_us_ += 300 * second_us;
    logs_->flush();
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return folder_.path() + "/" + name;
  }

  // Relative to `folder`, in order.
  [[nodiscard]] std::vector<std::string> files(const std::string& folder) const {
    std::set<std::string> out;
    std::error_code none;
    for (const auto& each : fs::recursive_directory_iterator(path(folder), none)) {
      if (each.is_regular_file()) out.insert(each.path().lexically_relative(path(folder)));
    }
    return {out.begin(), out.end()};
  }
  [[nodiscard]] std::vector<std::string> objects() const {
    std::vector<std::string> out;
    for (auto& name : files("s3")) {
      if (name.ends_with(".gz")) out.push_back(std::move(name));
    }
    return out;
  }
  [[nodiscard]] std::string unpacked(const std::string& object) const {
    const gzFile file = ::gzopen(path("s3/" + object).c_str(), "rb");
    std::string out(1 << 20, '\0');
    const int got = ::gzread(file, out.data(), 1 << 20);
    EXPECT_EQ(::gzclose(file), Z_OK) << "not a whole gzip file";
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }
  void write(const std::string& name, const std::string& bytes) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name)) << bytes;
  }

  TemporaryFolder folder_;
  std::atomic<std::int64_t> now_us_ = noon_us;
  std::unique_ptr<Logs> logs_;
  std::shared_ptr<LogRing> ring_;
};

const LogPolicy to_bucket{{}, LogPolicy::Bucket{"my-logs", "p"}};

TEST_F(DeliveryTest, AnObjectANodeAtTheEndOfTheInterval) {
  apply(to_bucket);
  log("10.0.0.4", "one");
  log("10.0.1.4", "two");
  log("10.0.0.4", "three");
  now_us_ += 299 * second_us;
  logs_->flush();
  EXPECT_THAT(objects(), ElementsAre());
  EXPECT_EQ(files("parts").size(), 2U);
  now_us_ += second_us;
  logs_->flush();
  const auto all = objects();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_THAT(all[0], MatchesRegex("my-logs/p/" + day + stem +
                                   "_20260302T1205Z_10.0.0.4_[0-9a-f]{8}.log.gz"));
  EXPECT_THAT(all[1], HasSubstr("_10.0.1.4_"));
  const std::string lines = unpacked(all[0]);
  EXPECT_EQ(std::ranges::count(lines, '\n'), 2);
  EXPECT_LT(lines.find("\"one\""), lines.find("\"three\""));
  EXPECT_THAT(unpacked(all[1]), HasSubstr("\"two\""));
  EXPECT_THAT(files("parts"), ElementsAre());
}

TEST_F(DeliveryTest, AnIntervalWithoutLinesHasNoObject) {
  apply(to_bucket);
  for (int i = 0; i < 3; ++i) {
    end_interval();
  }
  EXPECT_THAT(files("s3"), ElementsAre("my-logs/p/AWSLogs/123456789012/ELBAccessLogTestFile"));
}

TEST_F(DeliveryTest, WhatIsSwitchedOffIsDelivered) {
  apply(to_bucket);
  log("10.0.0.4", "last");
  apply({});
  logs_->flush();
  ASSERT_EQ(objects().size(), 1U);
  EXPECT_THAT(unpacked(objects()[0]), HasSubstr("\"last\""));
}

TEST_F(DeliveryTest, AnotherBucketBeginsWithTheNextLine) {
  apply(to_bucket);
  log("10.0.0.4", "old");
  logs_->flush();
  apply({{}, LogPolicy::Bucket{"other", ""}});
  log("10.0.0.4", "new");
  end_interval();
  const auto all = objects();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_THAT(unpacked(all[0]), HasSubstr("\"old\""));
  EXPECT_THAT(all[1], testing::StartsWith("other/AWSLogs/"));
  EXPECT_THAT(unpacked(all[1]), HasSubstr("\"new\""));
}

TEST_F(DeliveryTest, ADaemonThatEndsDelivers) {
  apply(to_bucket);
  log("10.0.0.4", "last");
  logs_.reset();
  ASSERT_EQ(objects().size(), 1U);
  EXPECT_THAT(unpacked(objects()[0]), HasSubstr("\"last\""));
  EXPECT_THAT(files("parts"), ElementsAre());
}

TEST_F(DeliveryTest, AFileHereAndABucketAtOnce) {
  apply({LogPolicy::File{true, 1000, 1}, LogPolicy::Bucket{"my-logs", ""}});
  log("10.0.0.4", "both");
  end_interval();
  std::ifstream in(path("logs/app.web.50dc6c495c0c9188/access.log"));
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  EXPECT_THAT(line, HasSubstr("\"user_agent\":\"both\""));
  ASSERT_EQ(objects().size(), 1U);
  EXPECT_THAT(unpacked(objects()[0]), testing::StartsWith("http "));
}

TEST_F(DeliveryTest, WhatAKilledDaemonLeftIsDelivered) {
  logs_.reset();
  const std::string folder = "b/AWSLogs/123456789012/elasticloadbalancing/us-east-1/";
  write("parts/" + folder + stem + "_10.0.0.4.part", "open\n");
  const timespec times[2] = {{1'772'452'801, 0}, {1'772'452'801, 0}};
  ASSERT_EQ(
      ::utimensat(AT_FDCWD, path("parts/" + folder + stem + "_10.0.0.4.part").c_str(), times, 0),
      0);
  write("parts/" + folder + stem + "_20260302T1155Z_10.0.0.4_0123abcd.log", "sealed\n");
  write("parts/" + folder + stem + "_10.0.1.4.part", "");
  start();
  logs_->flush();
  const auto all = objects();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0], "b/" + day + stem + "_20260302T1155Z_10.0.0.4_0123abcd.log.gz");
  EXPECT_EQ(unpacked(all[0]), "sealed\n");
  EXPECT_THAT(all[1], HasSubstr("_20260302T1205Z_10.0.0.4_"));
  EXPECT_EQ(unpacked(all[1]), "open\n");
  EXPECT_THAT(files("parts"), ElementsAre());
}

TEST_F(DeliveryTest, KilledBetweenDeliveryAndRemovalMakesOneObject) {
  const std::string sealed = "b/AWSLogs/123456789012/elasticloadbalancing/us-east-1/" + stem +
                             "_20260302T1155Z_10.0.0.4_0123abcd.log";
  for (int i = 0; i < 2; ++i) {
    logs_.reset();
    write("parts/" + sealed, "sealed\n");
    start();
    logs_->flush();
  }
  ASSERT_EQ(objects().size(), 1U);
  EXPECT_EQ(unpacked(objects()[0]), "sealed\n");
}

TEST_F(DeliveryTest, ABucketThatCannotBeWrittenGetsItLater) {
  write("s3/my-logs", "a file where the bucket's folder should be");
  apply(to_bucket);
  log("10.0.0.4", "early");
  end_interval();
  EXPECT_THAT(objects(), ElementsAre());
  EXPECT_EQ(files("parts").size(), 1U);
  fs::remove(path("s3/my-logs"));
  log("10.0.0.4", "late");
  end_interval();
  EXPECT_EQ(objects().size(), 2U);
  EXPECT_THAT(files("parts"), ElementsAre());
}

TEST_F(DeliveryTest, APartOfItsSizeDoesNotWait) {
  Deliverer deliverer(path("parts"), path("s3"));
  PartFiles parts(path("parts"), *ObjectNames::of(arn, LogKind::access, {"b", ""}), deliverer, 20);
  for (const std::string line : {"line 1 123\n", "line 2 123\n", "line 3 123\n"}) {
    parts.add("10.0.0.4", line);
    ASSERT_TRUE(parts.write(noon_us));
  }
  deliverer.flush();
  ASSERT_EQ(objects().size(), 1U);
  EXPECT_EQ(unpacked(objects()[0]), "line 1 123\nline 2 123\n");
  EXPECT_EQ(files("parts").size(), 1U);
}

// A limit of the process stands for a disk that is full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(DeliveryTest, AFullDiskCostsWholeLines) {
  Deliverer deliverer(path("parts"), path("s3"));
  {
    PartFiles parts(path("parts"), *ObjectNames::of(arn, LogKind::access, {"b", ""}), deliverer);
    RotatingFile file(path("logs/access.log"), 1000, 1);
    const auto write_line = [&](const std::string& line) {
      parts.add("10.0.0.4", line);
      const bool in_part = parts.write(noon_us).has_value();
      return std::pair(in_part, file.write(line).has_value());
    };
    EXPECT_EQ(write_line("line 1 123\n"), std::pair(true, true));
    {
      const FileSizeLimit limit(15);
      EXPECT_EQ(write_line("line 2 123\n"), std::pair(false, false));
    }
    EXPECT_EQ(write_line("line 3 123\n"), std::pair(true, true));
  }
  deliverer.flush();
  ASSERT_EQ(objects().size(), 1U);
  EXPECT_EQ(unpacked(objects()[0]), "line 1 123\nline 3 123\n");
  std::ifstream in(path("logs/access.log"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "line 1 123\nline 3 123\n");
}

TEST_F(DeliveryTest, ConnectionsHaveALogOfTheirOwn) {
  apply({LogPolicy::File{false, 1000, 1}, LogPolicy::Bucket{"my-logs", ""}}, LogKind::connection);
  ConnectionEntry entry{{noon_us + 1, 0x1234abcd5678ef90, 2817, 80},
                        {arn, "10.0.0.4", "198.51.100.7"}};
  std::string bytes;
  pack(entry, bytes);
  ASSERT_TRUE(ring_->push(bytes));
  log("10.0.0.4", "no access log");
  logs_.reset();
  const std::string line =
      "2026-03-02T12:00:00.000001Z 198.51.100.7 2817 80 - - - \"-\" - - - TID_1234abcd5678ef90 - "
      "app/web/50dc6c495c0c9188 10.0.0.4\n";
  std::ifstream in(path("logs/app.web.50dc6c495c0c9188/connection.log"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), line);
  ASSERT_EQ(objects().size(), 1U);
  EXPECT_THAT(objects()[0], HasSubstr("/conn_log_123456789012_"));
  EXPECT_EQ(unpacked(objects()[0]), line);
}

TEST(HealthCheckLog, LinesOfAllKinds) {
  HealthCheckEntry entry{{noon_us, 1'234'567, 200, 8080, true},
                         {arn, "10.0.0.4", "http", "10.0.0.9", "web", ""}};
  std::string out;
  append_line(out, entry);
  EXPECT_EQ(out,
            "http 2026-03-02T12:00:00.000000Z 0.001234567 10.0.0.9:8080 web PASS 200 - "
            "app/web/50dc6c495c0c9188 10.0.0.4\n");
  entry.numbers = {noon_us, 5'000'000'000, 0, 8080, false};
  entry.text(HealthCheckText::reason_code) = "TimedOut";
  entry.text(HealthCheckText::target_ip) = "fd00::1";
  out.clear();
  append_line(out, entry);
  EXPECT_EQ(out,
            "http 2026-03-02T12:00:00.000000Z 5.000000000 [fd00::1]:8080 web FAIL - TimedOut "
            "app/web/50dc6c495c0c9188 10.0.0.4\n");
}

}  // namespace
}  // namespace weir::telemetry
