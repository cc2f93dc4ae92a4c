// The admin endpoint over a real connection.
#include "daemon/admin_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>

#include "net/socket.hpp"

namespace weir::daemon {
namespace {

std::string ask(std::uint16_t port, std::string_view request) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto to = *net::Address::parse("127.0.0.1", port);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length), 0);
  EXPECT_EQ(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string out;
  char block[4096];
  for (ssize_t got = 0; (got = ::recv(fd.get(), block, sizeof block, 0)) > 0;)
    out.append(block, static_cast<std::size_t>(got));
  return out;
}

TEST(AdminServer, ServesItsPages) {
  std::atomic<bool> ready = false;
  auto server = AdminServer::start(
      "127.0.0.1:0", {[] { return std::string("weir_x 1\n"); }, [&] { return ready.load(); }});
  ASSERT_TRUE(server);
  const auto get = [&](const std::string& path) {
    return ask((*server)->port(), "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
  };
  EXPECT_THAT(get("/metrics"), testing::StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; "
                                                   "version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(get("/metrics"), testing::EndsWith("\r\n\r\nweir_x 1\n"));
  EXPECT_THAT(get("/healthz"), testing::StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/ready"), testing::StartsWith("HTTP/1.1 503 "));
  ready = true;
  EXPECT_THAT(get("/ready"), testing::StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/other"), testing::StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask((*server)->port(), "POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n"),
              testing::StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(ask((*server)->port(), "rubbish\r\n\r\n"), testing::StartsWith("HTTP/1.1 400 "));
}

TEST(AdminServer, ListensOnLoopbackAlone) {
  for (const char* where : {"0.0.0.0:0", "10.0.0.1:9901", "[::]:0", "127.0.0.1", "127.0.0.1:x", ""})
    EXPECT_FALSE(AdminServer::start(where, {})) << where;
}

}  // namespace
}  // namespace weir::daemon
