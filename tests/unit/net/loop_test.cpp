// Both back ends pass the same tests, with real sockets on loopback.
#include "net/loop.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "net/socket.hpp"

namespace weir::net {
namespace {

std::unique_ptr<Loop> make_loop(Backend backend) {
  LoopOptions options;
  options.backend = backend;
  auto loop = Loop::create(options);
  EXPECT_TRUE(loop.has_value()) << (loop ? "" : loop.error().message);
  return loop ? std::move(*loop) : nullptr;
}

// A stream whose events are functions; records what came.
struct Recorder : StreamEvents {
  Stream* stream = nullptr;
  std::string received;
  bool connected = false, ended = false;
  int error = 0, drained = 0;
  std::size_t piped = 0;
  std::function<void()> then = [] {};
  std::function<void(Buffer)> take;

  void on_connected() override {
    connected = true;
    then();
  }
  void on_received(Buffer data) override {
    received += data.view();
    if (take) take(std::move(data));
    then();
  }
  void on_end() override {
    ended = true;
    then();
  }
  void on_drained() override { ++drained; }
  void on_piped(std::size_t bytes) override {
    piped += bytes;
    then();
  }
  void on_error(int e) override {
    error = e;
    then();
  }
};

struct Acceptor : AcceptEvents {
  std::function<void(Fd)> take;
  int errors = 0;
  void on_accepted(Fd socket) override { take(std::move(socket)); }
  void on_accept_error(int) override { ++errors; }
};

class LoopTest : public testing::TestWithParam<Backend> {
 public:
  void SetUp() override {
    loop_ = make_loop(GetParam());
    ASSERT_NE(loop_, nullptr);
    auto socket = tcp_listen(*Address::parse("127.0.0.1", 0), false);
    ASSERT_TRUE(socket.has_value());
    address_ = *local_address(socket->get());
    acceptor_.take = [this](Fd fd) {
      server_.stream = loop_->adopt(std::move(fd), &server_);
      server_.stream->set_receiving(true);
      on_accept_();
    };
    listener_ = loop_->listen(std::move(*socket), &acceptor_);
  }

  void connect_client() {
    client_.stream = loop_->connect(*tcp_socket(AF_INET), address_, &client_);
    client_.stream->set_receiving(true);
  }

  // Runs until `done` holds after an event, or fails after ten seconds.
  void run_until(std::function<bool()> done) {
    bool timed_out = false;
    std::function<void()> check = [&] {
      if (done()) loop_->stop();
    };
    client_.then = server_.then = check;
    struct Guard {
      Loop* loop;
      bool* timed_out;
    } guard{loop_.get(), &timed_out};
    Timer timer(
        [](void* g) {
          *static_cast<Guard*>(g)->timed_out = true;
          static_cast<Guard*>(g)->loop->stop();
        },
        &guard);
    loop_->post([&] { loop_->schedule(timer, 10'000); });
    loop_->run();
    client_.then = server_.then = [] {};
    ASSERT_FALSE(timed_out);
  }

  std::unique_ptr<Loop> loop_;
  Address address_;
  Acceptor acceptor_;
  Listener* listener_ = nullptr;
  std::function<void()> on_accept_ = [] {};
  Recorder client_, server_;
};

TEST_P(LoopTest, ConnectsSendsAndReceives) {
  connect_client();
  client_.stream->send_copy("hello");
  run_until([&] { return server_.received == "hello"; });
  EXPECT_TRUE(client_.connected);
  server_.stream->send_copy("world");
  run_until([&] { return client_.received == "world"; });
}

// Asked for by an event, it is called in the same turn; asked for by itself, once more in the next.
TEST_P(LoopTest, EndsATurnWithWhatWasPutOff) {
  struct Last final : TurnEnd {
    Loop* loop = nullptr;
    int calls = 0;
    void on_turn_end() override {
      if (++calls == 1) return loop->at_turn_end(*this);
      loop->stop();
    }
  } last;
  last.loop = loop_.get();
  loop_->post([&] {
    loop_->at_turn_end(last);
    EXPECT_EQ(last.calls, 0);
  });
  loop_->run();
  EXPECT_EQ(last.calls, 2);
}

TEST_P(LoopTest, PassesBuffersFromStreamToStream) {
  server_.take = [this](Buffer data) { server_.stream->send(std::move(data)); };
  connect_client();
  std::string sent;
  for (int i = 0; i < 300'000; ++i) sent += static_cast<char>('a' + i % 26);
  client_.stream->send_copy(sent);
  run_until([&] { return client_.received.size() == sent.size(); });
  EXPECT_EQ(client_.received, sent);
}

TEST_P(LoopTest, TellsTheEndAndStillSendsAfterIt) {
  connect_client();
  client_.stream->send_copy("last");
  client_.stream->shutdown_send();
  run_until([&] { return server_.ended; });
  EXPECT_EQ(server_.received, "last");
  server_.stream->send_copy("answer");
  server_.stream->close(Close::flush);
  run_until([&] { return client_.ended; });
  EXPECT_EQ(client_.received, "answer");
}

TEST_P(LoopTest, PausedStreamsDeliverNothingUntilResumed) {
  on_accept_ = [this] { server_.stream->set_receiving(false); };
  connect_client();
  client_.stream->send_copy("early");
  run_until([&] { return client_.connected; });
  bool waited = false;
  struct Waiter {
    bool* waited;
    Loop* loop;
  } waiter{&waited, loop_.get()};
  Timer timer(
      [](void* w) {
        *static_cast<Waiter*>(w)->waited = true;
        static_cast<Waiter*>(w)->loop->stop();
      },
      &waiter);
  loop_->post([&] { loop_->schedule(timer, 50); });
  loop_->run();
  ASSERT_TRUE(waited);
  ASSERT_NE(server_.stream, nullptr);
  EXPECT_EQ(server_.received, "");
  client_.stream->shutdown_send();
  server_.stream->set_receiving(true);
  run_until([&] { return server_.ended; });
  EXPECT_EQ(server_.received, "early");
}

TEST_P(LoopTest, PausingWithinAnEventHoldsBackWhatFollows) {
  server_.take = [this](Buffer) { server_.stream->set_receiving(false); };
  connect_client();
  const std::string sent(500'000, 'x');
  client_.stream->send_copy(sent);
  std::size_t turns = 0;
  struct Waiter {
    LoopTest* test;
    std::size_t* turns;
    Timer* timer;
    std::size_t all;
  } waiter{this, &turns, nullptr, sent.size()};
  Timer timer(
      [](void* w) {
        auto& self = *static_cast<Waiter*>(w);
        ++*self.turns;
        if (self.test->server_.received.size() == self.all) return self.test->loop_->stop();
        if (self.test->server_.stream != nullptr) self.test->server_.stream->set_receiving(true);
        self.test->loop_->schedule(*self.timer, 10);
      },
      &waiter);
  waiter.timer = &timer;
  loop_->post([&] { loop_->schedule(timer, 10); });
  loop_->run();
  EXPECT_EQ(server_.received, sent);
  EXPECT_GT(turns, 5U);
}

TEST_P(LoopTest, RefusedConnectionsAreErrors) {
  listener_->close();
  // The descriptor is closed by the loop; connect once that has happened.
  loop_->post([this] { loop_->post([this] { loop_->stop(); }); });
  loop_->run();
  connect_client();
  run_until([&] { return client_.error != 0; });
  EXPECT_EQ(client_.error, ECONNREFUSED);
  client_.stream->close();
  EXPECT_FALSE(client_.connected);
}

TEST_P(LoopTest, ResetIsAnErrorToThePeer) {
  connect_client();
  client_.stream->send_copy("x");
  run_until([&] { return server_.received == "x"; });
  server_.stream->close(Close::reset);
  run_until([&] { return client_.error != 0; });
  EXPECT_EQ(client_.error, ECONNRESET);
  client_.stream->close();
}

TEST_P(LoopTest, ClosingWithinAnEventIsSafe) {
  server_.take = [this](Buffer) { server_.stream->close(); };
  connect_client();
  client_.stream->send_copy("x");
  run_until([&] { return client_.ended || client_.error != 0; });
  client_.stream->close();
}

TEST_P(LoopTest, LingeringCloseDeliversTheAnswerDespiteUnreadBytes) {
  server_.take = [this](Buffer) {
    server_.stream->send_copy("refused");
    server_.stream->close(Close::linger);
  };
  connect_client();
  client_.stream->send_copy(std::string(400'000, 'y'));
  run_until([&] { return client_.ended || client_.error != 0; });
  EXPECT_EQ(client_.received, "refused");
  EXPECT_EQ(client_.error, 0);
  client_.stream->close();
}

TEST_P(LoopTest, QueuedBytesTellOfBackPressureAndDrainedOfItsEnd) {
  on_accept_ = [this] { server_.stream->set_receiving(false); };
  connect_client();
  client_.stream->send_copy(std::string(20'000'000, 'z'));
  run_until([&] { return client_.connected; });
  EXPECT_GT(client_.stream->queued_bytes(), 1'000'000U);
  EXPECT_EQ(client_.drained, 0);
  server_.stream->set_receiving(true);
  run_until([&] { return server_.received.size() == 20'000'000U; });
  loop_->post([this] { loop_->stop(); });
  loop_->run();
  EXPECT_EQ(client_.stream->queued_bytes(), 0U);
  EXPECT_EQ(client_.drained, 1);
}

TEST_P(LoopTest, TasksOfOtherThreadsRunOnTheLoop) {
  int ran = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i)
        loop_->post([&] {
          if (++ran == 4000) loop_->stop();
        });
    });
  loop_->run();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ran, 4000);
}

TEST_P(LoopTest, ManyConnectionsAtOnce) {
  struct Echo : StreamEvents {
    Stream* stream = nullptr;
    void on_received(Buffer data) override { stream->send(std::move(data)); }
    void on_end() override { stream->close(); }
    void on_error(int) override { stream->close(); }
  };
  struct Client : StreamEvents {
    Stream* stream = nullptr;
    int* left = nullptr;
    Loop* loop = nullptr;
    void on_received(Buffer) override {
      stream->close();
      if (--*left == 0) loop->stop();
    }
    void on_end() override {}
    void on_error(int) override { FAIL(); }
  };
  constexpr int count = 600;
  std::vector<std::unique_ptr<Echo>> echoes;
  acceptor_.take = [&](Fd fd) {
    echoes.push_back(std::make_unique<Echo>());
    echoes.back()->stream = loop_->adopt(std::move(fd), echoes.back().get());
    echoes.back()->stream->set_receiving(true);
  };
  int left = count;
  std::vector<Client> clients(count);
  for (Client& client : clients) {
    client.left = &left;
    client.loop = loop_.get();
    client.stream = loop_->connect(*tcp_socket(AF_INET), address_, &client);
    client.stream->set_receiving(true);
    client.stream->send_copy("ping");
  }
  loop_->run();
  EXPECT_EQ(left, 0);
}

std::vector<Backend> backends() {
#ifdef WEIR_HAVE_URING
  return {Backend::epoll, Backend::io_uring};
#else
  return {Backend::epoll};
#endif
}

INSTANTIATE_TEST_SUITE_P(Backends, LoopTest, testing::ValuesIn(backends()), [](const auto& test) {
  return test.param == Backend::epoll ? "epoll" : "io_uring";
});

}  // namespace
}  // namespace weir::net
