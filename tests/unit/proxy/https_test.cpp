// HTTPS listeners, spoken to by OpenSSL.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "data_plane_fixture.hpp"
#include "telemetry/totals.hpp"
#include "tls_fixture.hpp"

namespace weir::proxy {
namespace {

using telemetry::OfBalancer;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tls::test::Client;

const std::string arn =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";

class HttpsTest : public DataPlaneTest {
 protected:
  void SetUp() override {
    char name[] = "/tmp/weir-https-XXXXXX";
    folder_ = ::mkdtemp(name);
    logs_ = std::make_shared<telemetry::Logs>(
        telemetry::Logs::Options{folder_ + "/logs", folder_ + "/parts", folder_ + "/s3"});
    DataPlaneTest::SetUp();
    load_balancers_[arn] = load_balancers_["lb"];
    load_balancers_[arn].arn = arn;
    load_balancers_.erase("lb");
    listeners_["listener"].load_balancer_arn = arn;
    import("arn:default", "default.test");
    model::Listener& listener = listeners_["listener"];
    listener.protocol = "HTTPS";
    listener.port = 443;
    listener.ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06";
    listener.certificate_arns = {"arn:default"};
  }
  void TearDown() override {
    data_plane_.reset();
    logs_.reset();
    std::filesystem::remove_all(folder_);
  }
  void import(const std::string& id, const std::string& name) {
    const auto made = tls::test::make_certificate({.names = {name}});
    model::Certificate& certificate = certificates_[id];
    certificate.arn = id;
    certificate.certificate = made.certificate;
    certificate.private_key = made.key;
    ++certificate.version;
  }
  void set(const std::string& key, const std::string& value) {
    load_balancers_[arn].attributes[key] = value;
  }
  std::string ask_https(const std::string& request, const Client::Options& options = {}) {
    Client client(port_, options);
    EXPECT_TRUE(client.connected) << client.error;
    client.send(request);
    return client.read(1'000'000);
  }
  std::vector<std::string> lines(const std::string& file) {
    apply();  // the turn of the worker is over
    logs_->flush();
    std::ifstream in(folder_ + "/logs/app.web.50dc6c495c0c9188/" + file);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }
  std::uint64_t count(OfBalancer which) {
    apply();
    return ledger().totals().balancer(arn).counts[which];
  }
  std::string folder_;
};

const std::string get = "GET / HTTP/1.1\r\nHost: default.test\r\nConnection: close\r\n\r\n";

TestTarget::Handler echo_of_heads() {
  return [](Connection& connection) {
    const std::string head = connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(head.size()) +
                    "\r\nConnection: close\r\n\r\n" + head);
  };
}

TEST_P(HttpsTest, ServesRequestsAndSaysSoToTheTarget) {
  add_server("t", echo_of_heads());
  apply();
  const std::string response = ask_https(get);
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(response, HasSubstr("X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n"));
  EXPECT_THAT(response, Not(HasSubstr("X-Amzn-Tls")));
}

TEST_P(HttpsTest, KeepsAConnectionForManyRequests) {
  add_named("a");
  apply();
  Client client(port_);
  ASSERT_TRUE(client.connected) << client.error;
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send(request);
  EXPECT_EQ(client.read(1).size(), 1U);  // the first is answered: the next ones find it idle
  for (int i = 0; i < 50; ++i) client.send(request);  // pipelined, and answered in order
  client.send(get);
  const std::string rest = client.read(1'000'000);
  std::size_t answers = 0;
  for (std::size_t at = 0; (at = rest.find("HTTP/1.1 200", at)) != std::string::npos; ++at)
    ++answers;
  EXPECT_EQ(answers, 51U);  // the first one has lost its first letter
  EXPECT_EQ(count(OfBalancer::new_connections), 1U);
}

TEST_P(HttpsTest, PassesLargeBodies) {
  const std::string body(3'000'000, 'b');
  add_server("t", [&](Connection& connection) {
    connection.read_head();
    const std::string got = connection.read_exactly(body.size());
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(got.size()) +
                    "\r\nConnection: close\r\n\r\n" + got);
  });
  apply();
  Client client(port_);
  ASSERT_TRUE(client.connected) << client.error;
  client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n");
  client.send(body);
  const std::string response = client.read(4'000'000);
  ASSERT_GT(response.size(), body.size());
  EXPECT_EQ(response.substr(response.size() - body.size()), body);
  EXPECT_EQ(client.end_reason, SSL_ERROR_ZERO_RETURN);
}

TEST_P(HttpsTest, TellsTheTargetOfTlsWhereThatIsAskedFor) {
  add_server("t", echo_of_heads());
  set("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "true");
  apply();
  const std::string request =
      "GET / HTTP/1.1\r\nHost: a\r\nx-amzn-tls-version: forged\r\nConnection: close\r\n\r\n";
  std::string response = ask_https(request);
  EXPECT_THAT(response, HasSubstr("X-Amzn-Tls-Version: TLSv1.3\r\nX-Amzn-Tls-Cipher-Suite: "
                                  "TLS_AES_128_GCM_SHA256\r\n"));
  EXPECT_THAT(response, Not(HasSubstr("forged")));
  listeners_["listener"].attributes["routing.http.request.x_amzn_tls_version.header_name"] =
      "Tls-Version";
  apply();
  response = ask_https(request, {.version_max = TLS1_2_VERSION});
  EXPECT_THAT(response, HasSubstr("Tls-Version: TLSv1.2\r\nX-Amzn-Tls-Cipher-Suite: "
                                  "ECDHE-ECDSA-AES128-GCM-SHA256\r\n"));
}

TEST_P(HttpsTest, RedirectsKeepTheProtocol) {
  set_default_action({1, model::RedirectAction{.path = "/moved"}});
  apply();
  EXPECT_THAT(ask_https(get), HasSubstr("https://default.test:443/moved"));
}

TEST_P(HttpsTest, WritesTheFieldsOfTlsIntoTheLogs) {
  add_named("a");
  set("weir.connection_log.enabled", "true");
  set("weir.access_log.format", "alb");
  apply();
  ask_https(get, {.server_name = "default.test", .version_max = TLS1_2_VERSION});
  const auto access = lines("access.log");
  ASSERT_EQ(access.size(), 1U);
  EXPECT_THAT(access[0], StartsWith("https "));
  EXPECT_THAT(access[0], HasSubstr("\"GET https://default.test:443/ HTTP/1.1\""));
  EXPECT_THAT(access[0], HasSubstr(" ECDHE-ECDSA-AES128-GCM-SHA256 TLSv1.2 "));
  EXPECT_THAT(access[0], HasSubstr(" \"default.test\" \"arn:default\" "));
  const auto connections = lines("connection.log");
  ASSERT_EQ(connections.size(), 1U);
  EXPECT_THAT(connections[0], HasSubstr(" 443 TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256 0."));
  EXPECT_THAT(connections[0], HasSubstr(" \"-\" - - Success TID_"));
  EXPECT_THAT(connections[0], HasSubstr(" X25519 "));
}

TEST_P(HttpsTest, CountsAndLogsHandshakesThatFail) {
  set("weir.connection_log.enabled", "true");
  apply();
  Client client(port_, {.version_max = TLS1_1_VERSION});
  EXPECT_FALSE(client.connected);
  auto plain = connect();
  plain.send(get);
  EXPECT_THAT(plain.read_to_end(), Not(HasSubstr("HTTP")));
  EXPECT_EQ(count(OfBalancer::client_tls_negotiation_errors), 2U);
  const auto connections = lines("connection.log");
  ASSERT_EQ(connections.size(), 2U);
  EXPECT_THAT(connections[0],
              HasSubstr(" 443 - - - \"-\" - - Failed:UnmappedConnectionError TID_"));
}

TEST_P(HttpsTest, AChangeOfCertificatesCutsNothing) {
  add_named("a");
  apply();
  Client old(port_);
  ASSERT_TRUE(old.connected) << old.error;
  EXPECT_EQ(old.certificate_name(), "default.test");
  import("arn:default", "renewed.test");
  import("arn:second", "second.test");
  listeners_["listener"].certificate_arns.emplace_back("arn:second");
  apply();
  EXPECT_EQ(Client(port_).certificate_name(), "renewed.test");
  EXPECT_EQ(Client(port_, {.server_name = "second.test"}).certificate_name(), "second.test");
  old.send(get);
  EXPECT_THAT(old.read(1000), StartsWith("HTTP/1.1 200"));
}

TEST_P(HttpsTest, ResumesSessionsAcrossSnapshots) {
  add_named("a");
  apply();
  Client first(port_, {.server_name = "default.test"});
  ASSERT_TRUE(first.connected) << first.error;
  first.send(get);
  first.read(1000);
  ASSERT_NE(first.session, nullptr);
  import("arn:default", "renewed.test");
  apply();
  Client second(port_, {.server_name = "default.test", .session = first.session});
  ASSERT_TRUE(second.connected) << second.error;
  EXPECT_TRUE(second.resumed());
}

TEST_P(HttpsTest, ACertificateThatCannotBeReadTakesNoListenerDown) {
  add_named("a");
  import("arn:good", "good.test");
  certificates_["arn:default"].private_key = "broken";
  ++certificates_["arn:default"].version;
  listeners_["listener"].certificate_arns.emplace_back("arn:good");
  apply();
  Client client(port_);
  ASSERT_TRUE(client.connected) << client.error;
  EXPECT_EQ(client.certificate_name(), "good.test");
  // Without any the connection is closed, and the worker goes on.
  listeners_["listener"].certificate_arns = {"arn:default"};
  apply();
  EXPECT_FALSE(Client(port_).connected);
  certificates_["arn:default"] = certificates_["arn:good"];
  certificates_["arn:default"].version = 99;
  apply();
  EXPECT_TRUE(Client(port_).connected);
}

TEST_P(HttpsTest, ContextsAreMadeAnewOnlyWhereSomethingChanged) {
  add_named("a");
  apply();
  const auto before = snapshot_->listeners[0].tls;
  listeners_["listener"].default_actions = {{1, model::FixedResponseAction{}}};
  apply();
  EXPECT_EQ(snapshot_->listeners[0].tls, before);
  ++certificates_["arn:default"].version;
  apply();
  EXPECT_NE(snapshot_->listeners[0].tls, before);
}

INSTANTIATE_TEST_SUITE_P(Backends, HttpsTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
