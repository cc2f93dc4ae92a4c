#include "daemon/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <thread>

namespace weir::daemon {
namespace {

struct Pair {
  Fd left, right;
};

Pair make_pair() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {Fd{ends[0]}, Fd{ends[1]}};
}

void write_raw(int fd, std::string_view bytes) {
  ASSERT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

TEST(Channel, LinesArriveOneByOneHoweverTheyWereWritten) {
  auto [left, right] = make_pair();
  Channel channel(std::move(right));
  write_raw(left.get(), "one\ntw");
  EXPECT_EQ((*channel.receive(100))->line, "one");
  write_raw(left.get(), "o\n\n");
  EXPECT_EQ((*channel.receive(100))->line, "two");
  EXPECT_EQ((*channel.receive(100))->line, "");
  left.reset();
  const auto end = channel.receive(100);
  ASSERT_TRUE(end.has_value());
  EXPECT_FALSE(end->has_value());
}

TEST(Channel, AnUnfinishedLineAtTheEndIsAnError) {
  auto [left, right] = make_pair();
  Channel channel(std::move(right));
  write_raw(left.get(), "half");
  left.reset();
  const auto end = channel.receive(100);
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, "Disconnected");
}

TEST(Channel, ALineBeyondTheBoundIsRefused) {
  auto [left, right] = make_pair();
  Channel channel(std::move(right));
  write_raw(left.get(), std::string(11, 'x') + "\n");
  const auto line = channel.receive(10);
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().code, "LineTooLong");
}

TEST(Channel, ALineOfExactlyTheBoundIsTaken) {
  auto [left, right] = make_pair();
  Channel channel(std::move(right));
  write_raw(left.get(), std::string(10, 'x') + "\n");
  EXPECT_EQ((*channel.receive(10))->line, std::string(10, 'x'));
}

TEST(Channel, DescriptorsTravelBesideTheirLine) {
  auto [left, right] = make_pair();
  Channel sender(std::move(left));
  Channel receiver(std::move(right));
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const Fd read_end{pipe[0]};
  Fd write_end{pipe[1]};
  ASSERT_TRUE(sender.send("take this", std::array{write_end.get()}).has_value());
  write_end.reset();
  auto message = receiver.receive(100);
  ASSERT_TRUE(message.has_value() && message->has_value());
  ASSERT_EQ((*message)->fds.size(), 1U);
  EXPECT_NE(::fcntl((*message)->fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  write_raw((*message)->fds[0].get(), "hello");
  std::array<char, 5> got{};
  EXPECT_EQ(::read(read_end.get(), got.data(), got.size()), 5);
  EXPECT_EQ(std::string_view(got.data(), got.size()), "hello");
}

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) ++count;
  }
  return count;
}

// A peer may send any number; those that nobody wants must not pile up.
TEST(Channel, SurplusDescriptorsAreClosed) {
  const int before = open_descriptors();
  {
    auto [left, right] = make_pair();
    Channel sender(std::move(left));
    Channel receiver(std::move(right));
    const std::array three{0, 1, 2};
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(sender.send("x", three).has_value());
    for (int i = 0; i < 20; ++i) {
      const auto message = receiver.receive(100);
      ASSERT_TRUE(message.has_value() && message->has_value());
      EXPECT_LE((*message)->fds.size(), passed_fds_max);
    }
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Channel, SendingToNobodyIsAnErrorAndNoSignal) {
  auto [left, right] = make_pair();
  Channel channel(std::move(right));
  left.reset();
  const auto sent = channel.send("x");
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().code, "Disconnected");
}

TEST(Channel, ALongLineCrossesWhileTheOtherSideReads) {
  auto [left, right] = make_pair();
  Channel sender(std::move(left));
  Channel receiver(std::move(right));
  const std::string line(1'500'000, 'y');
  std::thread writer([&] { EXPECT_TRUE(sender.send(line).has_value()); });
  const auto message = receiver.receive(request_bytes_max);
  writer.join();
  ASSERT_TRUE(message.has_value() && message->has_value());
  EXPECT_EQ((*message)->line, line);
}

}  // namespace
}  // namespace weir::daemon
