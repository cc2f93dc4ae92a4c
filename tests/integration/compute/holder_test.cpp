// The holder's own life: it outlives daemons, is replaced when it is killed, and leaves nothing.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "compute/firewall.hpp"
#include "compute/layout.hpp"
#include "fixture.hpp"

namespace weir::compute::test {
namespace {

namespace fs = std::filesystem;

struct Exit {
  std::string id;
  int status = 0;
};

// What on_exit reported, to be waited for.
class Exits {
 public:
  void attach(Compute& compute) {
    compute.on_exit([this](const std::string& id, int status) {
      const std::scoped_lock lock(mutex_);
      exits_.push_back({id, status});
      changed_.notify_all();
    });
  }
  std::optional<Exit> wait_for(const std::string& id) {
    std::unique_lock lock(mutex_);
    std::optional<Exit> found;
    changed_.wait_for(lock, std::chrono::seconds(10), [&] {
      for (const Exit& exit : exits_) {
        if (exit.id == id) found = exit;
      }
      return found.has_value();
    });
    return found;
  }
  std::size_t count() {
    const std::scoped_lock lock(mutex_);
    return exits_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Exit> exits_;
};

class HolderTest : public ComputeTest {
 protected:
  [[nodiscard]] pid_t holder_pid() const {
    pid_t pid = 0;
    std::ifstream(state_dir() + "/holder.lock") >> pid;
    return pid;
  }
  [[nodiscard]] int first_process(int number) const {
    const auto running = compute().running();
    for (const RunningInstance& instance : *running) {
      if (instance.id == instance_id(number)) return instance.pid;
    }
    return 0;
  }

  Exits exits_;
};

const std::string web_server = R"(#!/bin/sh
mkdir -p /srv/web
printf hello > /srv/web/index.html
cd /srv/web
python3 -m http.server 80 > /dev/null 2>&1 &
)";

TEST_F(HolderTest, DaemonThatComesBackFindsItsInstances) {
  ASSERT_TRUE(launch(spec(1, web_server)));
  ASSERT_EQ(fetch(address(1), 80), "hello");
  const pid_t holder = holder_pid();
  disconnect();
  start();
  EXPECT_EQ(holder_pid(), holder);
  const auto running = compute().running();
  ASSERT_TRUE(running);
  ASSERT_EQ(running->size(), 1U);
  EXPECT_EQ(running->front().id, instance_id(1));
  EXPECT_EQ(fetch(address(1), 80), "hello");
  EXPECT_TRUE(compute().metadata_socket(instance_id(1)));
  EXPECT_TRUE(compute().set_firewall(instance_id(1), open_ports({})));
  EXPECT_EQ(try_fetch(address(1), 80, "/"), Reach::silent);
}

TEST_F(HolderTest, InstanceThatDiesIsReportedOnce) {
  exits_.attach(compute());
  ASSERT_TRUE(launch(spec(1)));
  ASSERT_TRUE(launch(spec(2)));
  ASSERT_EQ(kill(first_process(1), SIGKILL), 0);
  const auto exit = exits_.wait_for(instance_id(1));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, 128 + SIGKILL);
  ASSERT_TRUE(compute().stop(instance_id(2), 5'000));  // asked for: no event
  EXPECT_TRUE(compute().running()->empty());
  EXPECT_EQ(exits_.count(), 1U);
  InstanceSpec again = spec(1);
  again.is_first_boot = false;
  EXPECT_TRUE(launch(again));
}

TEST_F(HolderTest, InstanceThatDiedUnseenIsNotListed) {
  ASSERT_TRUE(launch(spec(1)));
  const int pid = first_process(1);
  disconnect();
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  start();
  // stop() returns when the instance has been taken down, however it ended.
  ASSERT_TRUE(compute().stop(instance_id(1), 0));
  EXPECT_TRUE(compute().running()->empty());
}

TEST_F(HolderTest, KilledHolderIsReplaced) {
  exits_.attach(compute());
  ASSERT_TRUE(launch(spec(1, web_server)));
  ASSERT_EQ(fetch(address(1), 80), "hello");
  const pid_t before = holder_pid();
  ASSERT_EQ(kill(before, SIGKILL), 0);
  ASSERT_TRUE(exits_.wait_for(""));
  EXPECT_NE(holder_pid(), before);
  const auto running = compute().running();
  ASSERT_TRUE(running) << running.error().message;
  if (is_root()) {
    ASSERT_EQ(running->size(), 1U);
    EXPECT_EQ(fetch(address(1), 80), "hello");
    EXPECT_EQ(shell(instance_id(1), "echo alive").text, "alive\n");
    EXPECT_TRUE(compute().set_firewall(instance_id(1), open_ports({})));
    EXPECT_TRUE(compute().metadata_socket(instance_id(1)));
    ASSERT_EQ(kill(first_process(1), SIGKILL), 0);
    const auto exit = exits_.wait_for(instance_id(1));
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->status, -1);  // not the new holder's child
  }
  EXPECT_TRUE(compute().running()->empty());
  // The VPC is there again without having been asked for.
  InstanceSpec again = spec(1);
  again.is_first_boot = false;
  ASSERT_TRUE(launch(again));
  EXPECT_EQ(shell(instance_id(1), "cat /srv/web/index.html").text, "hello");
}

TEST_F(HolderTest, NodeAddressesComeAndGo) {
  const auto can_bind = [&](const std::string& ip) {
    auto sockets = compute().sockets(1);
    sockaddr_in local{};
    local.sin_family = AF_INET;
    inet_pton(AF_INET, ip.c_str(), &local.sin_addr);
    return bind(sockets->front().get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) ==
           0;
  };
  ASSERT_TRUE(compute().set_node_addresses({address(100), address(101)}));
  EXPECT_TRUE(can_bind(address(100)));
  EXPECT_TRUE(can_bind(address(101)));
  ASSERT_TRUE(compute().set_node_addresses({address(101)}));
  EXPECT_FALSE(can_bind(address(100)));
  EXPECT_TRUE(can_bind(address(101)));
  EXPECT_EQ(compute().set_node_addresses({"192.0.2.77"}).error().code, "InvalidParameterValue");
}

TEST_F(HolderTest, SixtyFourSocketsAtOnceAndNoMore) {
  EXPECT_EQ(compute().sockets(64)->size(), 64U);
  EXPECT_FALSE(compute().sockets(65));
  EXPECT_FALSE(compute().sockets(0));
}

TEST_F(HolderTest, AnotherFolderTakesAnotherRange) {
  if (!is_root()) GTEST_SKIP() << "rootless VPCs do not see each other";
  const std::string taken = address(1).substr(0, address(1).find(".16.")) + ".0.0/16";
  EXPECT_FALSE(*compute().clashes(taken));  // its own
  auto other = Compute::start({state_dir() + "/other", "runc", false});
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_TRUE(*(*other)->clashes(taken));
  (*other)->release_holder();
}

TEST_F(HolderTest, StaysForTheNextDaemonWhileAnInstanceRuns) {
  ASSERT_TRUE(launch(spec(1)));
  compute().release_holder();
  EXPECT_EQ(kill(holder_pid(), 0), 0);
  disconnect();
  start();
  EXPECT_EQ(compute().running()->size(), 1U);
}

TEST_F(HolderTest, NothingIsLeft) {
  ASSERT_TRUE(launch(spec(1, web_server)));
  ASSERT_TRUE(launch(spec(2)));
  // What an instance may leave to make removal hard.
  EXPECT_EQ(shell(instance_id(1),
                  "mkdir -p /root/a && cd /root/a && ln -s /etc/passwd link && "
                  "python3 -c 'import os\nfor i in range(300): os.mkdir(\"d\"); os.chdir(\"d\")'")
                .status,
            0);
  const std::array processes{holder_pid(), pid_t{first_process(1)}, pid_t{first_process(2)}};
  const auto layout = Layout::of(state_dir());
  metadata_.clear();
  for (const int number : {1, 2}) ASSERT_TRUE(compute().terminate(instance_id(number)));
  EXPECT_TRUE(fs::is_empty(state_dir() + "/instances"));
  compute().release_holder();
  disconnect();
  launched_.clear();

  for (const pid_t pid : processes) EXPECT_TRUE(kill(pid, 0) != 0 && errno == ESRCH) << pid;
  EXPECT_FALSE(fs::exists(state_dir() + "/holder.sock"));
  EXPECT_EQ(if_nametoindex(layout->bridge().c_str()), 0U);
  std::ifstream mounts("/proc/mounts");
  for (std::string line; std::getline(mounts, line);) {
    EXPECT_EQ(line.find(state_dir()), std::string::npos) << line;
  }
  if (!is_root()) return;
  const auto tables = run_nft("list tables");
  ASSERT_TRUE(tables);
  EXPECT_EQ(tables->find(layout->host_table()), std::string::npos);
  for (const auto& controller : fs::directory_iterator("/sys/fs/cgroup")) {
    EXPECT_FALSE(fs::exists(controller.path().string() + layout->cgroup()));
  }
}

TEST_F(HolderTest, LimitsAreThoseOfTheType) {
  if (!is_root()) {
    EXPECT_FALSE(compute().capabilities().limits_enforced);
    EXPECT_NE(compute().capabilities().limits_reason, "");
    GTEST_SKIP() << compute().capabilities().limits_reason;
  }
  InstanceSpec limited = spec(1);
  limited.ebs_bytes_per_second = 56'250'000;
  ASSERT_TRUE(launch(limited));
  // More than 512 MiB: the process that asks for it is killed, the instance lives.
  const Output output =
      exec(instance_id(1), {"/usr/bin/python3", "-c", "x = bytearray(700 * 1024 * 1024)"});
  EXPECT_EQ(output.status, 137) << output.text;
  EXPECT_EQ(shell(instance_id(1), "echo alive").text, "alive\n");
}

TEST_F(HolderTest, FailedLaunchTellsTheRuntimesReasonAndLeavesNothing) {
  compute().release_holder();
  disconnect();
  options_.runtime = state_dir() + "/runtime";
  std::ofstream(options_.runtime) << R"(#!/bin/sh
[ "$1" = --version ] && echo "fake version 1" && exit 0
while [ "$1" != --log ]; do shift; done
echo '{"level":"error","msg":"no cgroups today"}' > "$2"
exit 1
)";
  fs::permissions(options_.runtime, fs::perms::owner_all);
  start();
  EXPECT_EQ(compute().capabilities().runtime_version, "fake version 1");
  const auto launched = compute().launch(spec(1));
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code, "RuntimeFailed");
  EXPECT_NE(launched.error().message.find("no cgroups today"), std::string::npos)
      << launched.error().message;
  EXPECT_TRUE(compute().running()->empty());
  EXPECT_TRUE(fs::is_empty(state_dir() + "/instances"));
  std::ifstream mounts("/proc/" + std::to_string(holder_pid()) + "/mounts");
  for (std::string line; std::getline(mounts, line);) {
    EXPECT_EQ(line.find("merged"), std::string::npos) << line;
  }
}

TEST(HolderStart, SaysWhatIsMissing) {
  std::string pattern = "/tmp/weir-compute-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const auto started = Compute::start({pattern, "no-such-runtime", false});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, "NoRuntime");
  EXPECT_NE(started.error().hint.find("apt install runc"), std::string::npos);
  fs::remove_all(pattern);
}

}  // namespace
}  // namespace weir::compute::test
