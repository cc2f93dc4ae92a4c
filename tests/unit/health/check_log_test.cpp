// What the health check log is told, by the checker against real targets on loopback.
#include "health/check_log.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "telemetry/health_check_line.hpp"
#include "test_target.hpp"

namespace weir::health {
namespace {

using namespace std::chrono_literals;
using telemetry::HealthCheckEntry;
using telemetry::HealthCheckText;
using test::TestTarget;

TEST(CheckLog, ReasonCodes) {
  EXPECT_EQ(reason_code(CheckResult::success, 200), "");
  EXPECT_EQ(reason_code(CheckResult::code_mismatch, 404), "ResponseCodeMismatch");
  EXPECT_EQ(reason_code(CheckResult::code_mismatch, 500), "TargetError");
  EXPECT_EQ(reason_code(CheckResult::timeout, 0), "TimedOut");
  EXPECT_EQ(reason_code(CheckResult::connection_failed, 0), "ConnectionReset");
}

class CheckLogTest : public testing::Test {
 protected:
  CheckLogTest() {
    group_.arn = "arn:group";
    group_.name = "web";
    group_.in_use = true;
    group_.check_source = "10.0.0.4";
    group_.logs_checks_of = "lb";
    group_.health_check.interval_seconds = 1;
    group_.health_check.timeout_seconds = 1;
    group_.health_epoch = std::make_shared<std::atomic<std::uint32_t>>();
    Checker::Options options;
    options.log = ring_;
    options.on_change = [this](const std::string&, const std::string&, std::uint16_t,
                               const Status&) { changed_.set_value(); };
    checker_ = std::move(*Checker::start(std::move(options)));
  }

  void check(std::uint16_t port) {
    routing::Target target;
    target.id = target.address = "127.0.0.1";
    target.port = port;
    target.health = std::make_shared<routing::TargetHealthCell>();
    group_.targets.push_back(std::move(target));
    auto snapshot = std::make_shared<routing::Snapshot>();
    snapshot->target_groups.push_back(group_);
    checker_->apply(std::move(snapshot));
  }
  // The next line, as fields; bounded.
  [[nodiscard]] HealthCheckEntry next() {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!ring_->pop(record_)) {
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << "no check was logged";
        return {};
      }
      std::this_thread::sleep_for(2ms);
    }
    return telemetry::unpack<HealthCheckEntry>(record_);
  }

  std::shared_ptr<telemetry::LogRing> ring_ = std::make_shared<telemetry::LogRing>();
  routing::TargetGroup group_;
  std::string record_;
  std::promise<void> changed_;
  std::unique_ptr<Checker> checker_;
};

TEST_F(CheckLogTest, AnAnswerThatFits) {
  TestTarget target(test::answer_code(200));
  check(target.port());
  const HealthCheckEntry entry = next();
  EXPECT_TRUE(entry.numbers.has_passed);
  EXPECT_EQ(entry.numbers.status_code, 200);
  EXPECT_EQ(entry.numbers.target_port, target.port());
  EXPECT_GT(entry.numbers.latency_ns, 0);
  EXPECT_EQ(entry.text(HealthCheckText::load_balancer_arn), "lb");
  EXPECT_EQ(entry.text(HealthCheckText::node_ip), "10.0.0.4");
  EXPECT_EQ(entry.text(HealthCheckText::type), "http");
  EXPECT_EQ(entry.text(HealthCheckText::target_ip), "127.0.0.1");
  EXPECT_EQ(entry.text(HealthCheckText::target_group), "web");
  EXPECT_EQ(entry.text(HealthCheckText::reason_code), "");
}

TEST_F(CheckLogTest, AnAnswerThatDoesNot) {
  TestTarget target(test::answer_code(503));
  check(target.port());
  const HealthCheckEntry entry = next();
  EXPECT_FALSE(entry.numbers.has_passed);
  EXPECT_EQ(entry.numbers.status_code, 503);
  EXPECT_EQ(entry.text(HealthCheckText::reason_code), "TargetError");
  EXPECT_GT(target.connections(), 1) << "quick checks that fail are not told";
}

TEST_F(CheckLogTest, NoAnswer) {
  TestTarget target([](int) { return true; });
  check(target.port());
  const HealthCheckEntry entry = next();
  EXPECT_FALSE(entry.numbers.has_passed);
  EXPECT_EQ(entry.numbers.status_code, 0);
  EXPECT_GE(entry.numbers.latency_ns, 900'000'000);
  EXPECT_EQ(entry.text(HealthCheckText::reason_code), "TimedOut");
}

TEST_F(CheckLogTest, NothingIsToldWhereItIsOff) {
  TestTarget target(test::answer_code(200));
  group_.logs_checks_of.clear();
  check(target.port());
  ASSERT_EQ(changed_.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_FALSE(ring_->pop(record_));
}

}  // namespace
}  // namespace weir::health
