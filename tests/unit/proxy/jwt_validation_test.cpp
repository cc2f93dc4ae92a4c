// jwt-validation over the wire, with a provider's keys over TLS.
#include <future>

#include "auth/key_set.hpp"
#include "base/clock.hpp"
#include "data_plane_fixture.hpp"
#include "provider.hpp"
#include "signing.hpp"
#include "telemetry/totals.hpp"

namespace weir::proxy {
namespace {

using auth::test::answer_of;
using testing::HasSubstr;
using testing::StartsWith;

class JwtValidationTest : public DataPlaneTest {
 protected:
  void configure(DataPlaneOptions& options) override {
    options.identity_ca_file = provider_.ca_file();
  }
  void SetUp() override {
    DataPlaneTest::SetUp();
    add_named("A");
    validate({});
  }
  void validate(std::vector<model::JwtClaim> claims) {
    listeners_["listener"].default_actions = {
        {1, model::JwtValidationAction{provider_.url("/keys"), issuer, std::move(claims)}},
        {2, model::ForwardAction{{{"group", 1}}, false, 0}}};
    apply();
  }
  std::string token(const std::string& more = {}, const std::string& key_id = "k") {
    return auth::test::rs256(*key_, R"({"alg":"RS256","kid":")" + key_id + "\"}",
                             R"({"iss":")" + std::string(issuer) + R"(","exp":)" +
                                 std::to_string(wall_ms() / 1000 + 600) + more + "}");
  }
  std::string ask_with(const std::string& token) {
    return ask("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token +
               "\r\nConnection: close\r\n\r\n");
  }

  static constexpr const char* issuer = "https://idp.example";
  const auth::KeyPtr key_ = auth::test::rsa_key();
  std::promise<void> asked_;
  std::shared_future<void> held_;  // where it is valid, the provider waits for it
  std::string keys_ = auth::test::set_of(auth::test::rsa_json(*key_, "k"));
  int status_ = 200;
  auth::test::Provider provider_{[this](const std::string&) {
    if (held_.valid()) {
      asked_.set_value();
      held_.wait();
    }
    return answer_of(status_, keys_);
  }};
};

TEST_P(JwtValidationTest, OnlyATokenOfTheIssuersReachesATarget) {
  EXPECT_THAT(ask_with(token()), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask_with(token()), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(provider_.requests(), 1);
  const std::string good = token();
  std::string forged = good;
  forged[forged.find('.') + 5] ^= 1;
  for (const std::string& bad : {forged, good + "A", std::string("x"),
                                 auth::test::unsigned_token(R"({"alg":"none"})", "{}") + ".",
                                 token(R"(,"nbf":99999999999)"), token({}, "other")})
    EXPECT_THAT(ask_with(bad), StartsWith("HTTP/1.1 401 ")) << bad;
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic " + good +
                  "\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nAuthorization: Bearer " +
                  good + "\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 401 "));
}

TEST_P(JwtValidationTest, WhatIsRefusedIsCounted) {
  EXPECT_THAT(ask_with(token()), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask_with("x"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 401 "));
  apply();  // the worker has finished with its exchanges
  EXPECT_EQ(ledger().totals().balancer("lb").counts[telemetry::OfBalancer::jwt_refused], 2U);
}

TEST_P(JwtValidationTest, AdditionalClaimsMustHold) {
  validate({{"scope", model::JwtClaim::Format::space_separated_values, {"write"}}});
  EXPECT_THAT(ask_with(token(R"(,"scope":"read write")")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask_with(token(R"(,"scope":"read")")), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(ask_with(token()), StartsWith("HTTP/1.1 401 "));
}

TEST_P(JwtValidationTest, ABodyThatComesWhileTheKeysAreFetchedIsForwarded) {
  std::promise<void> go;
  held_ = go.get_future().share();
  std::string seen;
  add_server(
      "echo",
      [&](Connection& connection) {
        seen = connection.read_head();
        seen += connection.read_exactly(5);
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
      },
      "echo-group");
  groups_["echo-group"] = groups_["group"];
  groups_["echo-group"].arn = "echo-group";
  listeners_["listener"].default_actions[1] = {2,
                                               model::ForwardAction{{{"echo-group", 1}}, false, 0}};
  apply();
  auto client = connect();
  client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nAuthorization: Bearer " +
              token() + "\r\n\r\nhel");
  asked_.get_future().wait();
  client.send("lo");
  go.set_value();
  EXPECT_THAT(client.read_response(), HasSubstr("\r\n\r\ndone"));
  EXPECT_THAT(seen, StartsWith("POST /p HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\n\r\nhello"));
}

TEST_P(JwtValidationTest, AClientThatLeavesIsForgottenAndOthersAreServed) {
  std::promise<void> go;
  held_ = go.get_future().share();
  {
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token() + "\r\n\r\n");
    asked_.get_future().wait();
    const linger reset{1, 0};
    ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  auto patient = connect();
  patient.send("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token() + "\r\n\r\n");
  go.set_value();
  EXPECT_THAT(patient.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST_P(JwtValidationTest, EndsWhileAClientWaits) {
  std::promise<void> go;
  held_ = go.get_future().share();
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token() + "\r\n\r\n");
  asked_.get_future().wait();
  data_plane_.reset();
  go.set_value();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_P(JwtValidationTest, AProviderInTroubleIs562Or500) {
  status_ = 503;
  EXPECT_THAT(ask_with(token()), StartsWith("HTTP/1.1 562 "));
  listeners_["listener"].default_actions[0] = {
      1, model::JwtValidationAction{"https://localhost:1/keys", issuer, {}}};
  apply();
  EXPECT_THAT(ask_with(token()), StartsWith("HTTP/1.1 500 "));
}

INSTANTIATE_TEST_SUITE_P(Backends, JwtValidationTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
