#include "daemon/control_socket.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "daemon/channel.hpp"
#include "temporary_folder.hpp"

namespace weir::daemon {
namespace {

class ControlSocketTest : public testing::Test {
 protected:
  void serve(ControlSocket::Handler handler) {
    auto listener = listen_control(folder_.path());
    ASSERT_TRUE(listener.has_value()) << listener.error().message;
    auto started = ControlSocket::start(std::move(*listener), std::move(handler));
    ASSERT_TRUE(started.has_value());
    server_ = std::move(*started);
  }
  std::string ask(const std::string& request) {
    auto channel = connect_control(folder_.path());
    EXPECT_TRUE(channel.has_value());
    EXPECT_TRUE(channel->send(request).has_value());
    const auto reply = channel->receive(reply_bytes_max);
    return reply && *reply ? (*reply)->line : "(none)";
  }

  TemporaryFolder folder_;
  std::unique_ptr<ControlSocket> server_;
};

TEST_F(ControlSocketTest, AnswersARequestWithTheHandlersLine) {
  serve([](const std::string& request, Session&) { return "<" + request + ">"; });
  EXPECT_EQ(ask("hello"), "<hello>");
  EXPECT_EQ(ask("again"), "<again>");
}

TEST_F(ControlSocketTest, IsForItsOwnerOnly) {
  serve([](const std::string&, Session&) { return std::string{}; });
  struct stat info {};
  ASSERT_EQ(::stat((folder_.path() + "/control.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(ControlSocketTest, ReplacesASocketLeftBehind) {
  ASSERT_TRUE(listen_control(folder_.path()).has_value());  // closed at once, its file stays
  EXPECT_FALSE(connect_control(folder_.path()).has_value());
  serve([](const std::string& request, Session&) { return request; });
  EXPECT_EQ(ask("x"), "x");
}

TEST_F(ControlSocketTest, WorksBelowAPathLongerThanAUnixAddress) {
  const auto deep = folder_.path() + "/" + std::string(200, 'd');
  ASSERT_EQ(::mkdir(deep.c_str(), 0700), 0);
  auto listener = listen_control(deep);
  ASSERT_TRUE(listener.has_value()) << listener.error().message;
  EXPECT_TRUE(connect_control(deep).has_value());
}

TEST_F(ControlSocketTest, SendsEventsBeforeTheResult) {
  serve([](const std::string&, Session& session) {
    session.send_event("one");
    session.send_event("two");
    return std::string{"three"};
  });
  auto channel = connect_control(folder_.path());
  ASSERT_TRUE(channel.has_value());
  ASSERT_TRUE(channel->send("go").has_value());
  for (const auto* expected : {"one", "two", "three"}) {
    EXPECT_EQ((*channel->receive(100))->line, expected);
  }
}

TEST_F(ControlSocketTest, AClientThatSendsTooMuchIsDropped) {
  std::atomic<int> requests{0};
  serve([&](const std::string&, Session&) {
    ++requests;
    return std::string{"reply"};
  });
  auto channel = connect_control(folder_.path());
  ASSERT_TRUE(channel.has_value());
  std::ignore = channel->send(std::string(request_bytes_max + 100, 'x'));
  const auto reply = channel->receive(100);
  EXPECT_FALSE(reply.has_value() && reply->has_value());
  EXPECT_EQ(requests.load(), 0);
  EXPECT_EQ(ask("x"), "reply");
}

TEST_F(ControlSocketTest, AHandlerSeesThatItsClientHasGone) {
  std::promise<void> gone;
  serve([&](const std::string&, Session& session) {
    while (!session.client_gone()) std::this_thread::yield();
    gone.set_value();
    return std::string{};
  });
  {
    auto channel = connect_control(folder_.path());
    ASSERT_TRUE(channel->send("wait").has_value());
  }
  EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST_F(ControlSocketTest, TheEndWaitsForHandlersAndTellsThem) {
  std::promise<void> begun;
  std::atomic<bool> has_finished{false};
  serve([&](const std::string&, Session& session) {
    begun.set_value();
    while (!session.stopping()) std::this_thread::yield();
    has_finished = true;
    return std::string{"ended"};
  });
  auto channel = connect_control(folder_.path());
  ASSERT_TRUE(channel->send("work").has_value());
  begun.get_future().wait();
  server_.reset();
  EXPECT_TRUE(has_finished.load());
  EXPECT_EQ((*channel->receive(100))->line, "ended");
}

TEST_F(ControlSocketTest, ManyClientsAtOnceAreAllAnswered) {
  serve([](const std::string& request, Session&) { return request; });
  std::vector<std::thread> clients;
  std::atomic<int> answered{0};
  for (int i = 0; i < 32; ++i) {
    clients.emplace_back([&, i] {
      if (ask(std::to_string(i)) == std::to_string(i)) ++answered;
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(answered.load(), 32);
}

}  // namespace
}  // namespace weir::daemon
