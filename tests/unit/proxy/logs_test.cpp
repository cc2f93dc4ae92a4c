// The connection log and logs for buckets, over the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string arn =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";

class LogsTest : public DataPlaneTest {
 protected:
  void SetUp() override {
    char name[] = "/tmp/weir-logs-XXXXXX";
    folder_ = ::mkdtemp(name);
    logs_ = std::make_shared<telemetry::Logs>(
        telemetry::Logs::Options{folder_ + "/logs", folder_ + "/parts", folder_ + "/s3"});
    DataPlaneTest::SetUp();
    load_balancers_[arn] = load_balancers_["lb"];
    load_balancers_[arn].arn = arn;
    load_balancers_.erase("lb");
    listeners_["listener"].load_balancer_arn = arn;
  }
  void TearDown() override {
    data_plane_.reset();
    logs_.reset();
    std::filesystem::remove_all(folder_);
  }
  void set(const std::string& key, const std::string& value) {
    load_balancers_[arn].attributes[key] = value;
  }
  std::vector<std::string> lines(const std::string& file) {
    apply();  // the turn of the worker is over
    logs_->flush();
    std::ifstream in(folder_ + "/logs/app.web.50dc6c495c0c9188/" + file);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }
  // The only object below the bucket, unpacked; the daemon ends for it.
  std::pair<std::string, std::string> object() {
    data_plane_.reset();
    logs_.reset();
    std::pair<std::string, std::string> out;
    for (const auto& each : std::filesystem::recursive_directory_iterator(folder_ + "/s3")) {
      if (each.path().extension() != ".gz") continue;
      EXPECT_EQ(out.first, "") << "two objects";
      out = {each.path().filename(), std::string(1 << 20, '\0')};
      const gzFile file = ::gzopen(each.path().c_str(), "rb");
      out.second.resize(static_cast<std::size_t>(::gzread(file, out.second.data(), 1 << 20)));
      EXPECT_EQ(::gzclose(file), Z_OK);
    }
    return out;
  }
  static std::string field(const std::string& line, int number) {
    std::istringstream in(line);
    std::string out;
    while (number-- > 0) in >> out;
    return out;
  }
  static std::string trace_of(const std::string& line) {
    const auto at = line.find(" TID_");
    return at == std::string::npos ? "" : line.substr(at + 1, 20);
  }

  std::string folder_;
};

TEST_P(LogsTest, ALineAConnectionThatJoinsThoseOfItsRequests) {
  TestTarget target(always(ok));
  set("weir.connection_log.enabled", "true");
  set("weir.access_log.format", "alb");
  serve(target);
  auto client = connect();
  const auto client_port = net::local_address(client.fd())->port();
  for (int i = 0; i < 2; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_THAT(client.read_response(), StartsWith("HTTP/1.1 200"));
  }
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto connections = lines("connection.log");
  const auto requests = lines("access.log");
  ASSERT_EQ(connections.size(), 2U);
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(field(connections[0], 2), "127.0.0.1");
  EXPECT_EQ(field(connections[0], 3), std::to_string(client_port));
  EXPECT_EQ(field(connections[0], 4), "80");
  EXPECT_EQ(field(connections[0], 14), "app/web/50dc6c495c0c9188");
  EXPECT_EQ(field(connections[0], 15), "10.0.0.4");
  EXPECT_EQ(field(connections[0], 12), trace_of(requests[0]));
  EXPECT_EQ(trace_of(requests[0]), trace_of(requests[1]));
  EXPECT_EQ(field(connections[1], 12), trace_of(requests[2]));
  EXPECT_NE(trace_of(requests[0]), trace_of(requests[2]));
}

TEST_P(LogsTest, AConnectionWithoutARequestHasALineToo) {
  set("weir.connection_log.enabled", "true");
  apply();
  {
    auto client = connect();
    client.shutdown_send();
    EXPECT_EQ(client.read_to_end(), "");
  }
  EXPECT_EQ(lines("connection.log").size(), 1U);
}

TEST_P(LogsTest, NoConnectionIsLoggedWhereOnlyRequestsAre) {
  TestTarget target(always(ok));
  set("weir.access_log.format", "alb");
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(lines("connection.log").size(), 0U);
  EXPECT_EQ(lines("access.log").size(), 1U);
}

TEST_P(LogsTest, RequestsReachTheBucket) {
  TestTarget target(always(ok));
  set("access_logs.s3.enabled", "true");
  set("access_logs.s3.bucket", "my-logs");
  serve(target);
  ask("GET /x HTTP/1.1\r\nHost: a\r\nUser-Agent: me\r\n\r\n");
  apply();
  const auto [name, text] = object();
  EXPECT_THAT(name, StartsWith("123456789012_elasticloadbalancing_us-east-1_app.web.50dc6c495c0c"));
  EXPECT_THAT(name, HasSubstr("Z_10.0.0.4_"));
  EXPECT_THAT(text, HasSubstr("\"GET http://a:80/x HTTP/1.1\" \"me\""));
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
}

TEST_P(LogsTest, ConnectionsReachTheBucket) {
  set("connection_logs.s3.enabled", "true");
  set("connection_logs.s3.bucket", "my-logs");
  apply();
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  apply();
  const auto [name, text] = object();
  EXPECT_THAT(name, StartsWith("conn_log_123456789012_"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
}

INSTANTIATE_TEST_SUITE_P(Backends, LogsTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
