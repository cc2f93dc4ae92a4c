// An instance from launch to its end: reachable where its security groups allow it, with what EC2
// gives it inside.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/clock.hpp"
#include "fixture.hpp"

namespace weir::compute::test {
namespace {

// Serves "hello" on 80 and on 81.
const std::string web_server = R"(#!/bin/sh
mkdir -p /srv/web
printf hello > /srv/web/index.html
cd /srv/web
python3 -m http.server 81 > /dev/null 2>&1 &
python3 -m http.server 80 > /dev/null 2>&1 &
echo started
)";

class LaunchTest : public ComputeTest {};

TEST_F(LaunchTest, ServesOnAnOpenPortAndOnlyThere) {
  ASSERT_TRUE(launch(spec(1, web_server)));
  EXPECT_EQ(fetch(address(1), 80), "hello");
  EXPECT_EQ(try_fetch(address(1), 81, "/"), Reach::silent);  // dropped, as AWS does, not refused
  ASSERT_TRUE(compute().set_firewall(instance_id(1), open_ports({80, 81})));
  EXPECT_EQ(fetch(address(1), 81), "hello");
  ASSERT_TRUE(compute().set_firewall(instance_id(1), open_ports({81})));
  EXPECT_EQ(try_fetch(address(1), 80, "/"), Reach::silent);
}

TEST_F(LaunchTest, UserDataRunsAsRootAndIsReported) {
  ASSERT_TRUE(launch(spec(1, "#!/bin/sh\nid -u; hostname; exit 3\n")));
  const std::int64_t deadline = monotonic_ms() + 10'000;
  UserDataStatus status;
  while (status.state != UserDataState::failed && monotonic_ms() < deadline) {
    const auto got = compute().user_data_status(instance_id(1));
    ASSERT_TRUE(got) << got.error().message;
    status = *got;
  }
  EXPECT_EQ(status.state, UserDataState::failed);
  EXPECT_EQ(status.exit_status, 3);
  const auto console = compute().console_output(instance_id(1), 65'536);
  ASSERT_TRUE(console);
  EXPECT_NE(console->find("0\nip-10-0-16-10\n"), std::string::npos) << *console;
}

TEST_F(LaunchTest, ExecGivesOutputAndExitStatus) {
  ASSERT_TRUE(launch(spec(1)));
  const Output output = shell(instance_id(1), "pwd; echo $HOME; exit 7");
  EXPECT_EQ(output.status, 7);
  EXPECT_EQ(output.text, "/\n/root\n");
  EXPECT_EQ(shell(instance_id(1), "kill -9 $$").status, 137);
  EXPECT_EQ(exec("i-0000000000000dead", {"true"}).status, -1);
}

TEST_F(LaunchTest, ExecOnATerminal) {
  ASSERT_TRUE(launch(spec(1)));
  const Fd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master && grantpt(master.get()) == 0 && unlockpt(master.get()) == 0);
  Fd terminal(open(ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::string seen;
  std::jthread reader([&] {
    std::array<char, 1024> buffer{};
    while (true) {  // until nobody has the other end open
      const ssize_t size = read(master.get(), buffer.data(), buffer.size());
      if (size <= 0) return;
      seen.append(buffer.data(), static_cast<std::size_t>(size));
    }
  });
  const auto status = compute().exec({instance_id(1),
                                      {"/bin/sh", "-c", "tty; exit 5"},
                                      {terminal.get(), terminal.get(), terminal.get()},
                                      true});
  terminal.reset();
  reader.join();
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(*status, 5);
  EXPECT_NE(seen.find("/dev/pts/"), std::string::npos) << seen;
}

TEST_F(LaunchTest, BandwidthIsShapedWhereAsked) {
  InstanceSpec slow = spec(1, web_server + "head -c 8000000 /dev/zero > /srv/web/large\n");
  slow.network_bits_per_second = 100'000'000;
  ASSERT_TRUE(launch(slow));
  ASSERT_EQ(fetch(address(1), 80), "hello");
  const std::int64_t deadline = monotonic_ms() + 10'000;
  while (shell(instance_id(1), "stat -c %s /srv/web/large").text != "8000000\n" &&
         monotonic_ms() < deadline) {
  }
  const std::int64_t before = monotonic_ms();
  const auto large = fetch(address(1), 80, "/large");
  const std::int64_t took_ms = monotonic_ms() - before;
  ASSERT_TRUE(large);
  EXPECT_EQ(large->size(), 8'000'000U);
  EXPECT_GE(took_ms, 500);  // 640 at 100 Mbit/s, less the bucket that was full
}

TEST_F(LaunchTest, MetadataServiceIsReachedFromInside) {
  ASSERT_TRUE(launch(spec(1, web_server)));
  ASSERT_EQ(fetch(address(1), 80), "hello");  // 0.0.0.0:80 is free for the instance's own server
  std::jthread service([&] {
    Fd client;
    while (!client) client = Fd(accept4(metadata_[0].get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, 1024> request{};
    EXPECT_GT(recv(client.get(), request.data(), request.size(), 0), 0);
    const std::string answer = "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\ni-42";
    EXPECT_GT(send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL), 0);
  });
  const Output output = exec(
      instance_id(1), {"/usr/bin/python3", "-c",
                       "import urllib.request as u; print(u.urlopen('http://169.254.169.254/latest/"
                       "meta-data/instance-id', timeout=5).read().decode())"});
  EXPECT_EQ(output.text, "i-42\n");
}

TEST_F(LaunchTest, NeighboursReachEachOtherAsTheirGroupsAllow) {
  ASSERT_TRUE(launch(spec(1, web_server)));
  InstanceSpec closed = spec(2);
  closed.firewall.egress.clear();
  ASSERT_TRUE(launch(closed));
  ASSERT_TRUE(launch(spec(3)));
  ASSERT_EQ(fetch(address(1), 80), "hello");
  const std::string get = "import urllib.request as u; print(u.urlopen('http://" + address(1) +
                          "/', timeout=1).read().decode())";
  EXPECT_EQ(exec(instance_id(3), {"/usr/bin/python3", "-c", get}).text, "hello\n");
  EXPECT_EQ(exec(instance_id(2), {"/usr/bin/python3", "-c", get}).status, 1);
}

TEST_F(LaunchTest, StopKeepsFilesAndStartRunsNoUserData) {
  ASSERT_TRUE(launch(spec(1, "#!/bin/sh\necho run >> /root/runs\nsync\n")));
  const std::int64_t deadline = monotonic_ms() + 10'000;
  while (shell(instance_id(1), "cat /root/runs").text != "run\n" && monotonic_ms() < deadline) {
  }
  metadata_.clear();
  ASSERT_TRUE(compute().stop(instance_id(1), 5'000));
  EXPECT_TRUE(compute().running()->empty());
  InstanceSpec again = spec(1);
  again.is_first_boot = false;
  ASSERT_TRUE(launch(again));
  EXPECT_EQ(shell(instance_id(1), "cat /root/runs; ls /run/weir").text, "run\ninit\n");
}

TEST_F(LaunchTest, StopDoesNotWaitLongerThanItsGrace) {
  // Deaf to SIGTERM: whatever process 1 does, SIGKILL follows.
  ASSERT_TRUE(launch(spec(1, "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n")));
  const std::int64_t before = monotonic_ms();
  ASSERT_TRUE(compute().stop(instance_id(1), 300));
  EXPECT_LT(monotonic_ms() - before, 3'000);
  EXPECT_TRUE(compute().running()->empty());
}

TEST_F(LaunchTest, NineStartInParallel) {
  std::vector<std::jthread> threads;
  std::vector<Result<Fd>> sockets;
  for (int i = 0; i < 9; ++i) sockets.emplace_back(Fd());
  const std::int64_t before = monotonic_ms();
  for (int i = 0; i < 9; ++i) {
    threads.emplace_back(
        [&, i] { sockets[static_cast<std::size_t>(i)] = compute().launch(spec(i + 1)); });
  }
  threads.clear();
  std::printf("nine launched in %lld ms\n", static_cast<long long>(monotonic_ms() - before));
  for (int i = 0; i < 9; ++i) {
    const auto& socket = sockets[static_cast<std::size_t>(i)];
    EXPECT_TRUE(socket) << socket.error().message;
    launched_.push_back(instance_id(i + 1));
  }
  EXPECT_EQ(compute().running()->size(), 9U);
}

TEST_F(LaunchTest, WhatCannotBeIsRefusedAndLeavesNothing) {
  InstanceSpec unknown = spec(1);
  unknown.image_id = "ami-00000000000000000";
  EXPECT_EQ(compute().launch(unknown).error().code, "InvalidAMIID.NotFound");
  InstanceSpec elsewhere = spec(1);
  elsewhere.id = "i-../../../../etc";
  EXPECT_EQ(compute().launch(elsewhere).error().code, "InvalidInstanceID.Malformed");
  ASSERT_TRUE(launch(spec(1)));
  EXPECT_EQ(compute().launch(spec(1)).error().code, "IncorrectInstanceState");
  EXPECT_EQ(compute().running()->size(), 1U);
}

}  // namespace
}  // namespace weir::compute::test
