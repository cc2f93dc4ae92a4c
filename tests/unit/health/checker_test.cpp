// The checker against real targets on loopback, with both back ends of the loop.
#include "health/checker.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "health/probe.hpp"
#include "net/socket.hpp"
#include "test_target.hpp"

namespace weir::health {
namespace {

using namespace std::chrono_literals;
using routing::HealthState;
using test::TestTarget;

const std::string group_arn = "arn:group";

// One group whose targets are given by address and port.
class World {
 public:
  World() {
    group.arn = group_arn;
    group.in_use = true;
    group.health_check.interval_seconds = 1;
    group.health_check.timeout_seconds = 1;
    group.health_check.unhealthy_threshold = 1;
    group.health_check.healthy_threshold = 2;
    group.health_epoch = std::make_shared<std::atomic<std::uint32_t>>();
  }
  routing::Target& add(std::uint16_t port, std::string address = "127.0.0.1") {
    routing::Target& out = targets.emplace_back();
    out.id = address;
    out.address = address;
    out.port = port;
    out.health = std::make_shared<routing::TargetHealthCell>();
    return out;
  }
  [[nodiscard]] routing::SnapshotPtr snapshot() const {
    auto out = std::make_shared<routing::Snapshot>();
    out->target_groups.push_back(group);
    for (const routing::Target& target : targets)
      out->target_groups.back().targets.push_back(target);
    return out;
  }

  routing::TargetGroup group;
  std::deque<routing::Target> targets;
};

class CheckerTest : public testing::TestWithParam<net::Backend> {
 protected:
  void SetUp() override { start({}); }

  void start(std::function<Result<Fd>()> vpc_socket) {
    Checker::Options options;
    options.backend = GetParam();
    options.vpc_socket = std::move(vpc_socket);
    options.on_change = [this](const std::string&, const std::string&, std::uint16_t port,
                               const Status& status) {
      const std::lock_guard lock(mutex_);
      changes_.emplace_back(port, status);
      changed_.notify_all();
    };
    auto started = Checker::start(std::move(options));
    if (!started && started.error().code == "NoIoUring") GTEST_SKIP() << started.error().message;
    ASSERT_TRUE(started) << started.error().message;
    checker_ = std::move(*started);
  }

  // The next change of any target's state.
  Status next_change() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 10s, [&] { return !changes_.empty(); })) {
      ADD_FAILURE() << "no target has changed its state";
      return {};
    }
    const Status out = changes_.front().second;
    changes_.pop_front();
    return out;
  }
  Status status_of(const routing::Target& target) {
    return checker_->status(group_arn, target.id, target.port);
  }
  // Waits for what no callback tells; bounded.
  template <typename Condition>
  static bool eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }

  World world_;
  std::unique_ptr<Checker> checker_;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::uint16_t, Status>> changes_;
};

TEST_P(CheckerTest, FirstSuccessMakesHealthyAtOnce) {
  TestTarget target(test::answer_code(200));
  const auto& registered = world_.add(target.port());
  EXPECT_EQ(status_of(registered).reason, "Elb.RegistrationInProgress");
  const auto begun = std::chrono::steady_clock::now();
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 500ms) << "half an interval: not a quick one";
  EXPECT_EQ(registered.health->state, HealthState::healthy);
  EXPECT_EQ(*world_.group.health_epoch, 1U);
  EXPECT_EQ(status_of(registered).reason, "");
  EXPECT_EQ(target.last_request(),
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(target.port()) +
                "\r\nConnection: close\r\n"
                "User-Agent: ELB-HealthChecker/2.0\r\n"
                "Accept-Encoding: gzip, compressed\r\n\r\n");
}

// Reference §4.3.
TEST_P(CheckerTest, OnlyATargetThatJoinsOthersStartsSlowly) {
  TestTarget one(test::answer_code(200));
  TestTarget two(test::answer_code(200));
  TestTarget three(test::answer_code(200));
  world_.group.policy.slow_start_ms = 60'000;
  auto& first = world_.add(one.port());
  first.registered_at_ms = 1;
  const auto health_of_first = first.health;
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(health_of_first->slow_start_from_ms, 0) << "alone: nobody else can take the load";
  auto& later = world_.add(two.port());
  later.registered_at_ms = 2;
  const auto health_of_later = later.health;
  auto& together = world_.add(three.port());
  together.registered_at_ms = 1;
  const auto health_of_together = together.health;
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_GT(health_of_later->slow_start_from_ms, 0);
  EXPECT_EQ(health_of_together->slow_start_from_ms, 0) << "registered with the first";
}

TEST_P(CheckerTest, ChecksGoOnAtTheInterval) {
  TestTarget target(test::answer_code(200));
  world_.add(target.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_TRUE(eventually([&] { return target.connections() >= 3; }));
}

TEST_P(CheckerTest, TargetsInTheVpcAreCheckedFromTheNodesAddress) {
  TestTarget inside(test::answer_code(200)), outside(test::answer_code(200));
  world_.group.check_source = "127.0.0.77";
  world_.add(inside.port()).in_vpc = true;
  world_.add(outside.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(inside.last_peer(), 0x7f00004dU);
  EXPECT_EQ(outside.last_peer(), 0x7f000001U);
}

TEST_P(CheckerTest, ASourceThatCannotBeHadIsDoneWithout) {
  TestTarget target(test::answer_code(200));
  world_.group.check_source = "203.0.113.9";
  world_.add(target.port()).in_vpc = true;
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(target.last_peer(), 0x7f000001U);
}

TEST_P(CheckerTest, AWrongCodeFails) {
  TestTarget target(test::answer_code(503));
  const auto& registered = world_.add(target.port());
  checker_->apply(world_.snapshot());
  const Status status = next_change();
  EXPECT_EQ(status.state, HealthState::unhealthy);
  EXPECT_EQ(status.reason, "Target.ResponseCodeMismatch");
  EXPECT_EQ(status.description, "Health checks failed with these codes: [503]");
  EXPECT_EQ(registered.health->state, HealthState::unhealthy);
  EXPECT_EQ(status_of(registered).reason, status.reason);
}

TEST_P(CheckerTest, TheMatcherThePathAndThePortAreTheGroups) {
  TestTarget target(test::answer_code(404));
  const auto& registered = world_.add(1);
  world_.group.health_check.port = std::to_string(target.port());
  world_.group.health_check.path = "/health?full=1";
  world_.group.health_check.http_codes = "200,400-404";
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(status_of(registered).state, HealthState::healthy);
  EXPECT_TRUE(target.last_request().starts_with("GET /health?full=1 HTTP/1.1\r\n"));
}

TEST_P(CheckerTest, NoAnswerIsATimeout) {
  TestTarget target(test::silence());
  world_.add(target.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().reason, "Target.Timeout");
}

TEST_P(CheckerTest, APartOfAnAnswerIsATimeout) {
  TestTarget target([](int fd) {
    test::send_all(fd, "HTTP/1.1 200 OK\r\nContent-Le");
    return true;
  });
  world_.add(target.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().reason, "Target.Timeout");
}

TEST_P(CheckerTest, ARefusedConnectionFailsOnlyWhenItCounts) {
  std::uint16_t port = 0;
  {
    TestTarget gone(test::silence());
    port = gone.port();
  }
  const auto& registered = world_.add(port);
  checker_->apply(world_.snapshot());
  EXPECT_TRUE(
      eventually([&] { return status_of(registered).reason == "Elb.InitialHealthChecking"; }));
  const Status status = next_change();
  EXPECT_EQ(status.state, HealthState::unhealthy);
  EXPECT_EQ(status.reason, "Target.FailedHealthChecks");
}

TEST_P(CheckerTest, ATargetThatListensLaterIsFoundQuickly) {
  world_.group.health_check.interval_seconds = 30;
  std::uint16_t port = 0;
  {
    TestTarget first(test::silence());
    port = first.port();
  }
  const auto& registered = world_.add(port);
  checker_->apply(world_.snapshot());
  EXPECT_TRUE(
      eventually([&] { return status_of(registered).reason == "Elb.InitialHealthChecking"; }));
  TestTarget target(test::answer_code(200), port);
  EXPECT_EQ(next_change().state, HealthState::healthy);
}

TEST_P(CheckerTest, GarbageFails) {
  std::deque<TestTarget> targets;
  for (const std::string& bytes :
       {std::string("SSH-2.0-OpenSSH_9.2\r\n"), std::string("HTTP/1.1 abc OK\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nbad\r\n\r\n"), std::string(4, '\0'), std::string()})
    world_.add(targets.emplace_back(test::answer(bytes)).port());
  checker_->apply(world_.snapshot());
  for (std::size_t i = 0; i < targets.size(); ++i)
    EXPECT_EQ(next_change().reason, "Target.FailedHealthChecks");
  for (const routing::Target& target : world_.targets)
    EXPECT_EQ(target.health->state, HealthState::unhealthy);
}

TEST_P(CheckerTest, AnEndlessHeadFails) {
  TestTarget target(test::answer("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')));
  world_.add(target.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().reason, "Target.FailedHealthChecks");
}

TEST_P(CheckerTest, ByteByByteAndAfterAnInterimAnswer) {
  TestTarget target([](int fd) {
    const std::string_view bytes =
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 OK\r\nServer: slow\r\n\r\nbody";
    for (const char byte : bytes) test::send_all(fd, {&byte, 1});
    return false;
  });
  world_.add(target.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
}

TEST_P(CheckerTest, AnUnhealthyTargetNeedsItsThresholdToComeBack) {
  std::atomic<int> answers = 0;
  std::atomic<bool> is_well = false;
  TestTarget target([&](int fd) {
    if (is_well) ++answers;
    return test::answer_code(is_well ? 200 : 500)(fd);
  });
  world_.add(target.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::unhealthy);
  is_well = true;
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(answers, 2);
}

TEST_P(CheckerTest, CheckNowDoesNotWaitForTheInterval) {
  world_.group.health_check.interval_seconds = 300;
  std::atomic<int> code = 200;
  TestTarget target([&](int fd) { return test::answer_code(code)(fd); });
  const auto& registered = world_.add(target.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  code = 500;
  checker_->check_now("127.0.0.9");
  checker_->check_now(registered.id);
  EXPECT_EQ(next_change().state, HealthState::unhealthy);
}

TEST_P(CheckerTest, UnusedDrainingAndIdleTargetsAreNotChecked) {
  TestTarget target(test::answer_code(200)), other(test::answer_code(200));
  world_.add(target.port()).usable = false;
  world_.add(target.port(), "127.0.0.2").draining = true;
  world_.add(other.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  world_.group.in_use = false;
  checker_->apply(world_.snapshot());
  EXPECT_TRUE(eventually([&] {
    return status_of(world_.targets.back()).reason == "Elb.RegistrationInProgress";
  }));
  EXPECT_EQ(target.connections(), 0);
}

TEST_P(CheckerTest, ATargetRemovedDuringItsCheckIsForgotten) {
  world_.group.health_check.interval_seconds = 300;
  TestTarget silent(test::silence()), well(test::answer_code(200));
  world_.add(silent.port());
  checker_->apply(world_.snapshot());
  EXPECT_TRUE(eventually([&] { return silent.connections() == 1; }));
  const routing::Target removed = world_.targets.front();
  world_.targets.clear();
  world_.add(well.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(status_of(removed).reason, "Elb.RegistrationInProgress");
  EXPECT_EQ(removed.health->state, HealthState::initial);
}

TEST_P(CheckerTest, ANewSnapshotKeepsTheState) {
  world_.group.health_check.interval_seconds = 300;
  TestTarget target(test::answer_code(200)), other(test::answer_code(200));
  const routing::Target first = world_.add(target.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  world_.add(other.port(), "127.0.0.2");
  world_.group.health_check.interval_seconds = 200;
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(status_of(first).state, HealthState::healthy);
  EXPECT_EQ(target.connections(), 1) << "checked again though nothing asked for it";
}

TEST_P(CheckerTest, ANewCellIsANewTarget) {
  world_.group.health_check.interval_seconds = 300;
  TestTarget target(test::answer_code(200));
  routing::Target& registered = world_.add(target.port());
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  registered.health = std::make_shared<routing::TargetHealthCell>();
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(registered.health->state, HealthState::healthy);
  EXPECT_EQ(status_of(registered).state, HealthState::healthy);
}

TEST_P(CheckerTest, SocketsOfTheVpcReachItsTargets) {
  std::atomic<int> made = 0;
  start([&]() -> Result<Fd> {
    // The first call fails, as a pool of sockets that has run dry does.
    if (++made == 1) return fail("Empty", "no sockets in the pool");
    return net::tcp_socket(AF_INET);
  });
  TestTarget target(test::answer_code(200)), outside(test::answer_code(200));
  world_.add(target.port()).in_vpc = true;
  world_.add(outside.port(), "127.0.0.2");
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(made, 2);
}

TEST_P(CheckerTest, AnAddressThatIsNoneFails) {
  world_.add(80, "not-an-address");
  checker_->apply(world_.snapshot());
  EXPECT_EQ(next_change().reason, "Target.FailedHealthChecks");
}

TEST_P(CheckerTest, EndsWhileChecksAreUnderWay) {
  TestTarget silent(test::silence()), well(test::answer_code(200));
  for (int i = 1; i < 100; ++i)
    world_.add(i % 2 == 0 ? silent.port() : well.port(), "127.0.0." + std::to_string(i));
  checker_->apply(world_.snapshot());
  EXPECT_TRUE(eventually([&] { return silent.connections() > 10; }));
  checker_->apply(world_.snapshot());
  checker_.reset();
}

TEST_P(CheckerTest, EndsWithoutEverHavingATarget) { checker_.reset(); }

TEST_P(CheckerTest, ThousandsOfTargetsAreHealthySoon) {
  world_.group.health_check.interval_seconds = 30;
  TestTarget target(test::answer_code(200));
  for (int i = 0; i < 3000; ++i)
    world_.add(target.port(), "127.1." + std::to_string(i / 200) + "." + std::to_string(i % 200));
  checker_->apply(world_.snapshot());
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(next_change().state, HealthState::healthy);
  EXPECT_EQ(*world_.group.health_epoch, 3000U);
}

INSTANTIATE_TEST_SUITE_P(Loops, CheckerTest,
                         testing::Values(net::Backend::epoll, net::Backend::io_uring),
                         [](const auto& one) {
                           return one.param == net::Backend::epoll ? "epoll" : "io_uring";
                         });

TEST(CheckRequest, HostAndPath) {
  const auto first_lines = [](std::string_view path, std::string_view address, std::uint16_t port) {
    const std::string request = check_request(path, address, port);
    return request.substr(0, request.find("\r\nConnection"));
  };
  EXPECT_EQ(first_lines("/", "10.0.0.1", 80), "GET / HTTP/1.1\r\nHost: 10.0.0.1");
  EXPECT_EQ(first_lines("/a?b=c", "10.0.0.1", 8080), "GET /a?b=c HTTP/1.1\r\nHost: 10.0.0.1:8080");
  EXPECT_EQ(first_lines("/", "2001:db8::1", 8080), "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080");
  EXPECT_EQ(first_lines("/a b\r\nX: y", "10.0.0.1", 80),
            "GET /a%20b%0D%0AX:%20y HTTP/1.1\r\nHost: 10.0.0.1");
}

}  // namespace
}  // namespace weir::health
