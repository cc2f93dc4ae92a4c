// The keep-alive race and weir.retry.* over the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <atomic>

#include "data_plane_fixture.hpp"
#include "proxy/unseen.hpp"

namespace weir::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno";

// Answers the first request of each connection and closes it when the second has come: to the load
// balancer the same as a connection that was closed while the request was on its way.
TestTarget::Handler closes_at_the_second(std::string response, std::atomic<int>& seen) {
  return [response = std::move(response), &seen](Connection& connection) {
    if (connection.read_head().empty()) return;
    ++seen;
    connection.send(response);
    static_cast<void>(connection.read_head());
  };
}

class RetryTest : public DataPlaneTest {
 protected:
  void set_retry(const std::string& key, const std::string& value) {
    groups_["group"].attributes["weir.retry." + key] = value;
  }
  static std::string get() { return "GET / HTTP/1.1\r\nHost: a\r\n\r\n"; }
  static std::string put(const std::string& body) {
    return "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
};

TEST_P(RetryTest, TheKeepAliveRaceDoesNotShow) {
  std::atomic<int> seen = 0;
  TestTarget target(closes_at_the_second(ok, seen));
  serve(target);
  auto client = connect();
  for (int i = 0; i < 20; ++i) {
    client.send(get());
    ASSERT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_EQ(seen, 20);
}

TEST_P(RetryTest, ABodyThatIsStillThereIsSentAgain) {
  std::atomic<int> bodies = 0;
  const std::string body(3000, 'x');
  TestTarget target([&](Connection& c) {
    if (c.read_head().empty()) return;
    if (c.read_exactly(body.size()) == body) ++bodies;
    c.send(ok);
    static_cast<void>(c.read_head());
  });
  serve(target);
  auto client = connect();
  for (int i = 0; i < 5; ++i) {
    client.send(put(body));
    ASSERT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_EQ(bodies, 5);
}

TEST_P(RetryTest, AChunkedBodyIsSentAgainAsItWas) {
  std::string seen;
  TestTarget target([&](Connection& c) {
    if (c.read_head().empty()) return;
    seen = c.read_until([](const std::string& s) { return s.ends_with("0\r\n\r\n"); });
    c.send(ok);
    static_cast<void>(c.read_head());
  });
  serve(target);
  auto client = connect();
  for (int i = 0; i < 2; ++i) {
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    client.send("0\r\n\r\n");
    ASSERT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_EQ(seen, "3\r\nabc\r\n0\r\n\r\n");
}

TEST_P(RetryTest, ARequestThatTheTargetMayHaveSeenIsSentAgainOnlyIfThatIsHarmless) {
  std::atomic<int> seen = 0;
  TestTarget target(closes_at_the_second(ok, seen));
  serve(target);
  auto client = connect();
  client.send(get());
  ASSERT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 502 "));
  EXPECT_EQ(seen, 1);
}

TEST_P(RetryTest, OffIsWhatAnAlbDoes) {
  std::atomic<int> seen = 0;
  TestTarget target(closes_at_the_second(ok, seen));
  set_retry("on", "off");
  serve(target);
  auto client = connect();
  client.send(get());
  ASSERT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
  client.send(get());
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 502 "));
}

// A port of loopback where nobody listens: bound, so that no one else gets it.
class ClosedPort {
 public:
  ClosedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto any = *net::Address::parse("127.0.0.1", 0);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&any.storage), any.length), 0);
  }
  std::uint16_t port() const { return net::local_address(fd_.get())->port(); }

 private:
  Fd fd_;
};

TEST_P(RetryTest, AFailedConnectGoesToAnotherTarget) {
  const ClosedPort closed;
  TestTarget target(always(ok));
  add_target(closed.port());
  serve(target);
  for (int i = 0; i < 4; ++i) EXPECT_THAT(ask(get()), StartsWith("HTTP/1.1 200 "));
}

TEST_P(RetryTest, WithoutAttemptsAFailedConnectIs502) {
  const ClosedPort closed;
  set_retry("attempts", "0");
  add_target(closed.port());
  apply();
  EXPECT_THAT(ask(get()), StartsWith("HTTP/1.1 502 "));
}

TEST_P(RetryTest, AStatusIsTriedAgainAtAnotherTarget) {
  TestTarget bad(always(unavailable));
  TestTarget good(always(ok));
  set_retry("on", "503");
  add_target(bad.port());
  serve(good);
  for (int i = 0; i < 6; ++i) EXPECT_THAT(ask(get()), StartsWith("HTTP/1.1 200 "));
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
  EXPECT_THAT(ask(post) + ask(post), HasSubstr("HTTP/1.1 503 "));
}

TEST_P(RetryTest, TheLastTrysAnswerIsTheClients) {
  TestTarget bad(always(unavailable));
  set_retry("on", "5xx");
  set_retry("attempts", "3");
  serve(bad);
  EXPECT_THAT(ask(get()), AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\r\n\r\nno")));
  EXPECT_EQ(bad.connections(), 4);
}

TEST_P(RetryTest, ATryThatTakesTooLongIsFollowedByAnother) {
  std::atomic<int> tries = 0;
  TestTarget target([&](Connection& c) {
    if (c.read_head().empty()) return;
    if (++tries > 1) c.send(ok);
    static_cast<void>(c.read_some());
  });
  set_retry("on", "off");
  set_retry("per_try_timeout_ms", "50");
  serve(target);
  EXPECT_THAT(ask(get()), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(tries, 2);
}

INSTANTIATE_TEST_SUITE_P(Loops, RetryTest, testing::ValuesIn(backends()), backend_name);

// Two ends of a connection over loopback.
struct Pair {
  Pair() {
    Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto any = *net::Address::parse("127.0.0.1", 0);
    ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any.storage), any.length);
    ::listen(listener.get(), 1);
    const auto to = *net::local_address(listener.get());
    near = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(near.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length), 0);
    far = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  Fd near, far;
};

TEST(Unseen, IsWhatIsSentAfterThePeerHasClosed) {
  Pair pair;
  pair.far = Fd();
  char byte = 0;
  ASSERT_EQ(::recv(pair.near.get(), &byte, 1, 0), 0);
  ASSERT_EQ(::send(pair.near.get(), "hello", 5, MSG_NOSIGNAL), 5);
  EXPECT_TRUE(is_unseen(pair.near.get(), 0, 5));
  EXPECT_FALSE(is_unseen(pair.near.get(), ECONNRESET, 5));
  EXPECT_FALSE(is_unseen(pair.near.get(), 0, 4));
}

TEST(Unseen, IsNotWhatThePeerReadBeforeItClosed) {
  Pair pair;
  ASSERT_EQ(::send(pair.near.get(), "hello", 5, MSG_NOSIGNAL), 5);
  char bytes[5];
  ASSERT_EQ(::recv(pair.far.get(), bytes, 5, MSG_WAITALL), 5);
  pair.far = Fd();
  ASSERT_EQ(::recv(pair.near.get(), bytes, 1, 0), 0);
  EXPECT_FALSE(is_unseen(pair.near.get(), 0, 5));
}

}  // namespace
}  // namespace weir::proxy
