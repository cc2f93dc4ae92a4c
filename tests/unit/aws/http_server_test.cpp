// The endpoint over real sockets: what it takes, and what it does not wait for.
#include "aws/server/http_server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <barrier>
#include <thread>

namespace weir::aws {
namespace {

using testing::HasSubstr;

constexpr int patience_ms = 10'000;

class HttpServerTest : public testing::Test {
 protected:
  void start(HttpLimits limits) {
    Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = reinterpret_cast<sockaddr*>(&address_);
    socklen_t length = sizeof(address_);
    ASSERT_EQ(::bind(listener.get(), address, length), 0);
    ASSERT_EQ(::listen(listener.get(), 64), 0);
    ASSERT_EQ(::getsockname(listener.get(), address, &length), 0);
    auto server =
        HttpServer::start(std::move(listener),
                          {[this](const HttpRequest& request) { return answer_(request); },
                           [](const HttpRequest&) {
                             return HttpResponse{413, {}, "too large"};
                           }},
                          limits);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  [[nodiscard]] Fd connect() const {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)), 0);
    return socket;
  }
  static void send(const Fd& socket, std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Until `end` is in what has come, or the connection has ended.
  static std::string receive(const Fd& socket, std::string_view end) {
    std::string text;
    while (end.empty() || text.find(end) == std::string::npos) {
      pollfd waiting{socket.get(), POLLIN, 0};
      if (::poll(&waiting, 1, patience_ms) <= 0) return text + "[nothing more came]";
      char block[4096];
      const auto got = ::recv(socket.get(), block, sizeof(block), 0);
      if (got <= 0) return text + "[end]";
      text.append(block, static_cast<std::size_t>(got));
    }
    return text;
  }

  std::function<HttpResponse(const HttpRequest&)> answer_ = [](const HttpRequest& request) {
    std::string text =
        request.method + " " + request.path + " " + request.query + " " + request.body;
    if (const auto* header = request.header("x-header")) text += " " + *header;
    return HttpResponse{201, {{"X-Answer", "yes"}}, text};
  };
  sockaddr_in address_{};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, RequestsComeAsSentAndConnectionsStay) {
  start({});
  const auto socket = connect();
  send(socket,
       "POST /a%20b?c=%41 HTTP/1.1\r\nHost: x\r\nX-HEADER: v\r\nContent-Length: 3\r\n\r\nabc");
  const auto first = receive(socket, "abc v");
  EXPECT_THAT(first, HasSubstr("HTTP/1.1 201"));
  EXPECT_THAT(first, HasSubstr("X-Answer: yes"));
  EXPECT_THAT(first, HasSubstr("POST /a%20b c=%41 abc v"));
  send(socket, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(receive(socket, "GET /"), HasSubstr("GET /  "));
}

TEST_F(HttpServerTest, ASlowHandlerHoldsUpNobody) {
  std::barrier both(2);
  answer_ = [&](const HttpRequest&) {
    both.arrive_and_wait();  // ends only when two are in here at once
    return HttpResponse{200, {}, "both"};
  };
  start({});
  const auto one = connect();
  const auto two = connect();
  for (const auto* socket : {&one, &two}) send(*socket, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  for (const auto* socket : {&one, &two}) EXPECT_THAT(receive(*socket, "both"), HasSubstr("200"));
}

TEST_F(HttpServerTest, ALargeBodyIsRefused) {
  start({.body_bytes_max = 1'000});
  const auto socket = connect();
  send(socket,
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + std::string(1'001, 'a'));
  EXPECT_THAT(receive(socket, "too large"), HasSubstr("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, ALargeHeadIsRefused) {
  start({.head_bytes_max = 8 * 1024});
  const auto socket = connect();
  send(socket, "GET / HTTP/1.1\r\nHost: x\r\nX-Header: " + std::string(10'000, 'a') + "\r\n\r\n");
  EXPECT_THAT(receive(socket, "\r\n"), HasSubstr("HTTP/1.1 431"));
}

// Each byte comes within the idle time; the request as a whole takes too long.
TEST_F(HttpServerTest, ADribblingRequestIsCutOff) {
  start({.idle_seconds_max = 60, .receive_ms_max = 200});
  const auto socket = connect();
  send(socket, "GET / HTTP/1.1\r\nHost: x\r\n");
  EXPECT_EQ(receive(socket, ""), "[end]");
}

}  // namespace
}  // namespace weir::aws
