// The admin endpoint over a real connection.
#include "daemon/admin_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <vector>

#include "daemon/admin_token.hpp"
#include "net/socket.hpp"
#include "temporary_folder.hpp"

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

TEST(AdminServer, WithoutATokenListensOnLoopbackAlone) {
  for (const char* where : {"0.0.0.0:0", "10.0.0.1:9901", "[::]:0", "127.0.0.1", "127.0.0.1:x", ""})
    EXPECT_FALSE(AdminServer::start(where, {})) << where;
  const auto refused = AdminServer::start("0.0.0.0:0", {});
  EXPECT_EQ(refused.error().code, "AdminAddress");
  EXPECT_THAT(refused.error().hint, testing::HasSubstr("--admin-token-file"));
}

TEST(AdminServer, AsksForItsTokenButForHealthz) {
  const std::string token = "0123456789abcdef0123456789abcdef";
  auto server = AdminServer::start(
      "0.0.0.0:0", {[] { return std::string("weir_x 1\n"); }, [] { return true; }}, token);
  ASSERT_TRUE(server) << server.error().message;
  const auto get = [&](const std::string& path, const std::string& fields) {
    return ask((*server)->port(), "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  };
  const auto is_refused = testing::StartsWith("HTTP/1.1 401 ");
  EXPECT_THAT(get("/healthz", ""), testing::StartsWith("HTTP/1.1 200 "));
  for (const char* path : {"/metrics", "/ready", "/other"}) EXPECT_THAT(get(path, ""), is_refused);
  EXPECT_THAT(get("/metrics", ""), testing::HasSubstr("\r\nWWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(get("/metrics", ""), testing::Not(testing::HasSubstr("weir_x")));
  EXPECT_THAT(get("/metrics", "Authorization: Bearer " + token + "\r\n"),
              testing::EndsWith("\r\n\r\nweir_x 1\n"));
  EXPECT_THAT(get("/metrics", "authorization: bearer " + token + "\r\n"),
              testing::StartsWith("HTTP/1.1 200 "));
  for (const std::string& wrong :
       {"Bearer " + token.substr(1), "Bearer " + token + "0", "Basic " + token, token,
        std::string("Bearer "), "Bearer " + std::string(token.size(), 'x')}) {
    EXPECT_THAT(get("/metrics", "Authorization: " + wrong + "\r\n"), is_refused) << wrong;
  }
}

TEST(AdminServer, SilentConnectionsHoldUpNobody) {
  auto server = AdminServer::start("127.0.0.1:0",
                                   {[] { return std::string("weir_x 1\n"); }, [] { return true; }});
  ASSERT_TRUE(server);
  const auto to = *net::Address::parse("127.0.0.1", (*server)->port());
  std::vector<Fd> silent;
  for (int i = 0; i < 40; ++i) {  // more than it keeps
    silent.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(
        ::connect(silent.back().get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length),
        0);
  }
  EXPECT_THAT(ask((*server)->port(), "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"),
              testing::EndsWith("weir_x 1\n"));
}

class AdminToken : public testing::Test {
 protected:
  std::string write(std::string_view content, mode_t mode) const {
    const std::string path = folder.path() + "/token";
    std::ofstream(path) << content;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  TemporaryFolder folder;
};

TEST_F(AdminToken, IsOneLineOfAFileThatNobodyElseReads) {
  EXPECT_EQ(read_admin_token(write("0123456789abcdef\n", 0600)), "0123456789abcdef");
  EXPECT_EQ(read_admin_token(write("0123456789abcdef", 0400)), "0123456789abcdef");
}

TEST_F(AdminToken, RefusesWhatOthersMayReadOrWhatIsNoToken) {
  for (const mode_t mode : {0640U, 0604U, 0620U}) {
    const auto read = read_admin_token(write("0123456789abcdef\n", mode));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, "AdminToken");
  }
  for (const std::string& content :
       {std::string(), std::string("short\n"), std::string("0123456789abcdef 0123456789\n"),
        std::string("0123456789abcdef\nmore\n"), std::string(5000, 'a')}) {
    EXPECT_FALSE(read_admin_token(write(content, 0600))) << content;
  }
  EXPECT_FALSE(read_admin_token(folder.path() + "/none"));
  EXPECT_FALSE(read_admin_token(folder.path()));
}

}  // namespace
}  // namespace weir::daemon
