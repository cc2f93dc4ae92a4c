// pipe_to(): the bytes of one socket come out of another, in order, whatever either side does.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "net/loop.hpp"
#include "net/socket.hpp"

namespace weir::net {
namespace {

constexpr std::size_t many = 6'000'000;  // more than sockets and the pipe hold

std::string pattern(std::size_t bytes) {
  std::string out(bytes, ' ');
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>('a' + i % 23);
  return out;
}

struct Side : StreamEvents {
  Stream* stream = nullptr;
  Loop* loop = nullptr;
  std::string received;
  std::size_t piped = 0;
  bool ended = false;
  int error = 0;

  void on_received(Buffer data) override { received += data.view(); }
  void on_piped(std::size_t bytes) override { piped += bytes; }
  void on_end() override {
    ended = true;
    loop->stop();
  }
  void on_error(int e) override {
    error = e;
    loop->stop();
  }
};

// A connection whose far end belongs to a thread of the test and blocks.
struct Connection {
  Fd far, near;
};

Connection connection() {
  auto listening = tcp_listen(*Address::parse("127.0.0.1", 0), false);
  const Address address = *local_address(listening->get());
  Fd far(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Not all of a body is to fit into sockets, however much memory the kernel gives them.
  const int window = 65'536;
  for (const int fd : {listening->get(), far.get()})
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
  EXPECT_EQ(
      ::connect(far.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length), 0);
  Fd near;
  while (!near)
    near = Fd(::accept4(listening->get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return {std::move(far), std::move(near)};
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EINTR) return;
  }
}

std::string read_all(int fd) {
  std::string out;
  std::string block(65'536, ' ');
  while (true) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got > 0) out.append(block, 0, static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR)) return out;
  }
}

class PipingTest : public testing::TestWithParam<Backend> {
 public:
  void SetUp() override {
    LoopOptions options;
    options.backend = GetParam();
    auto loop = Loop::create(options);
    ASSERT_TRUE(loop.has_value());
    loop_ = std::move(*loop);
    adopt(source_, source_far_);
    adopt(sink_, sink_far_);
  }

  void adopt(Side& side, Fd& far) {
    Connection made = connection();
    far = std::move(made.far);
    side.loop = loop_.get();
    side.stream = loop_->adopt(std::move(made.near), &side);
  }

  std::unique_ptr<Loop> loop_;
  Side source_, sink_;
  Fd source_far_, sink_far_;
};

TEST_P(PipingTest, PassesAllInOrderBehindWhatWasQueued) {
  const std::string body = pattern(many);
  source_.stream->set_receiving(true);
  sink_.stream->send_copy("head ");
  ASSERT_TRUE(source_.stream->pipe_to(*sink_.stream, body.size()));
  std::thread writer([&] {
    write_all(source_far_.get(), body + "more");
    ::shutdown(source_far_.get(), SHUT_WR);
  });
  std::string arrived;
  std::thread reader([&] { arrived = read_all(sink_far_.get()); });
  loop_->run();
  EXPECT_TRUE(source_.ended);
  EXPECT_EQ(source_.piped, body.size());
  EXPECT_EQ(source_.received, "more");
  loop_->post([&] {
    sink_.stream->close(Close::flush);
    source_.stream->close();
    loop_->post([&] { loop_->stop(); });
  });
  loop_->run();
  writer.join();
  reader.join();
  EXPECT_TRUE(arrived == "head " + body) << arrived.size();
}

TEST_P(PipingTest, BeginsInTheMiddleOfAStream) {
  const std::string body = pattern(many);
  struct Beginner : Side {
    Side* to = nullptr;
    bool begun = false;
    void on_received(Buffer data) override {
      const std::size_t size = data.size();
      if (begun) return Side::on_received(std::move(data));
      begun = true;
      to->stream->send(std::move(data));
      EXPECT_TRUE(stream->pipe_to(*to->stream, many - size));
    }
  } source;
  source.to = &sink_;
  source_.stream->close();
  adopt(source, source_far_);
  source.stream->set_receiving(true);
  std::thread writer([&] {
    write_all(source_far_.get(), body);
    ::shutdown(source_far_.get(), SHUT_WR);
  });
  std::string arrived;
  std::thread reader([&] { arrived = read_all(sink_far_.get()); });
  loop_->run();
  EXPECT_TRUE(source.ended);
  EXPECT_EQ(source.received, "");
  loop_->post([&] {
    sink_.stream->close(Close::flush);
    source.stream->close();
    loop_->post([&] { loop_->stop(); });
  });
  loop_->run();
  writer.join();
  reader.join();
  EXPECT_TRUE(arrived == body) << arrived.size();
}

TEST_P(PipingTest, TellsOfASourceThatEndsEarly) {
  source_.stream->set_receiving(true);
  ASSERT_TRUE(source_.stream->pipe_to(*sink_.stream, many));
  write_all(source_far_.get(), "short");
  source_far_.reset();
  loop_->run();
  EXPECT_TRUE(source_.ended);
  EXPECT_EQ(source_.piped, 5U);
  source_.stream->close();
  sink_.stream->close();
}

TEST_P(PipingTest, TellsTheSinksOwnerThatItHasGone) {
  const std::string body = pattern(many);
  source_.stream->set_receiving(true);
  sink_.stream->set_receiving(true);
  ASSERT_TRUE(source_.stream->pipe_to(*sink_.stream, body.size()));
  sink_far_.reset();
  std::thread writer([&] { write_all(source_far_.get(), body); });
  while (!sink_.ended && sink_.error == 0) loop_->run();
  loop_->post([&] {
    sink_.stream->close();
    source_.stream->close(Close::reset);
    loop_->post([&] { loop_->stop(); });
  });
  loop_->run();
  writer.join();
  EXPECT_LT(source_.piped, body.size());
}

TEST_P(PipingTest, WaitsForASinkThatDoesNotRead) {
  const std::string body = pattern(4 * many);
  source_.stream->set_receiving(true);
  ASSERT_TRUE(source_.stream->pipe_to(*sink_.stream, body.size()));
  std::atomic<bool> is_written = false;
  std::thread writer([&] {
    write_all(source_far_.get(), body);
    ::shutdown(source_far_.get(), SHUT_WR);
    is_written = true;
  });
  struct Stop {
    Loop* loop;
  } stop{loop_.get()};
  Timer timer([](void* s) { static_cast<Stop*>(s)->loop->stop(); }, &stop);
  loop_->post([&] { loop_->schedule(timer, 200); });
  loop_->run();
  EXPECT_FALSE(is_written);
  EXPECT_LT(source_.piped, body.size());
  std::string arrived;
  std::thread reader([&] { arrived = read_all(sink_far_.get()); });
  while (!source_.ended) loop_->run();
  loop_->post([&] {
    sink_.stream->close(Close::flush);
    source_.stream->close();
    loop_->post([&] { loop_->stop(); });
  });
  loop_->run();
  writer.join();
  reader.join();
  EXPECT_TRUE(arrived == body) << arrived.size();
}

std::vector<Backend> backends() {
#ifdef WEIR_HAVE_URING
  return {Backend::epoll, Backend::io_uring};
#else
  return {Backend::epoll};
#endif
}

INSTANTIATE_TEST_SUITE_P(Backends, PipingTest, testing::ValuesIn(backends()), [](const auto& test) {
  return test.param == Backend::epoll ? "epoll" : "io_uring";
});

}  // namespace
}  // namespace weir::net
