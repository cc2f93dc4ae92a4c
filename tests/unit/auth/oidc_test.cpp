// The steps of a login, each with what an attacker or a careless provider might bring.
#include "auth/oidc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/json_object.hpp"
#include "auth/token.hpp"
#include "signing.hpp"

namespace weir::auth {
namespace {

using testing::HasSubstr;

constexpr std::int64_t now = 1'800'000'000;
const std::vector<SealingKey> keys = {{1, {}}};

model::OidcAction action() {
  model::OidcAction out;
  out.issuer = "https://idp.example";
  out.authorization_endpoint = "https://idp.example/authorize";
  out.client_id = "client";
  out.client_secret = "s&cret=";
  return out;
}

std::string code_of(const Result<Session>& session) {
  return session ? std::string("ok") : session.error().code;
}

TEST(Oidc, AStateIsOfOneBrowserOneActionAndOneQuarterOfAnHour) {
  const Login login{"nonce", "https://a.example:443/x?y=\xff", now};
  const std::string state = state_of(login, "rule-a", keys);
  const auto back = login_of(state, "rule-a", "nonce", now + login_seconds_max, keys);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->return_to, login.return_to);
  EXPECT_FALSE(login_of(state, "rule-a", "nonce", now + login_seconds_max + 1, keys));
  EXPECT_FALSE(login_of(state, "rule-a", "nonce", now - 1, keys));
  EXPECT_FALSE(login_of(state, "rule-a", "other", now, keys));
  EXPECT_FALSE(login_of(state, "rule-a", "", now, keys));
  EXPECT_FALSE(login_of(state, "rule-b", "nonce", now, keys));
  EXPECT_FALSE(login_of("", "rule-a", "nonce", now, keys));
  EXPECT_FALSE(login_of(seal("{}", {"state", "rule-a"}, keys), "rule-a", "", now, keys));
  EXPECT_FALSE(login_of(seal(text_of({}), {"session", "rule-a"}, keys), "rule-a", "", now, keys));
  EXPECT_NE(random_nonce(), random_nonce());
}

TEST(Oidc, TheWayToTheProviderSaysWhoAsksAndWhereTo) {
  auto asking = action();
  asking.scope = "openid email";
  asking.extra_parameters = {{"prompt", "login"}, {"a&b", "c=d"}};
  EXPECT_EQ(authorization_url(asking, "https://a.example/oauth2/idpresponse", "st-ate"),
            "https://idp.example/authorize?client_id=client"
            "&redirect_uri=https%3A%2F%2Fa.example%2Foauth2%2Fidpresponse&response_type=code"
            "&scope=openid%20email&state=st-ate&a%26b=c%3Dd&prompt=login");
  asking.authorization_endpoint += "?tenant=1";
  EXPECT_THAT(authorization_url(asking, "u", "s"), HasSubstr("/authorize?tenant=1&client_id="));
}

TEST(Oidc, ValuesOfTheWayBackAreReadOnceAndDecoded) {
  EXPECT_EQ(query_value("code=a%2Fb+c&state=s", "code"), "a/b c");
  EXPECT_EQ(query_value("code=a%2Fb+c&state=s", "state"), "s");
  EXPECT_EQ(query_value("code=", "code"), "");
  for (const char* query :
       {"", "code", "code=a&code=b", "xcode=a", "code=%", "code=%2", "code=%zz"})
    EXPECT_FALSE(query_value(query, "code")) << query;
}

TEST(Oidc, FormsKeepTheirValuesApart) {
  EXPECT_EQ(code_form(action(), "c&d", "u"),
            "grant_type=authorization_code&client_id=client&client_secret=s%26cret%3D&code=c%26d"
            "&redirect_uri=u");
  EXPECT_EQ(refresh_form(action(), "r+t"),
            "grant_type=refresh_token&client_id=client&client_secret=s%26cret%3D"
            "&refresh_token=r%2Bt");
}

class OidcTokens : public testing::Test {
 protected:
  std::string answer(const std::string& claims, const std::string& more = {}) {
    return R"({"access_token":"access","token_type":"Bearer","id_token":")" +
           test::rs256(*key_, R"({"alg":"RS256"})", claims) + "\"" + more + "}";
  }
  std::string claims(const std::string& audience = "\"client\"",
                     const std::string& issuer = "https://idp.example",
                     std::int64_t ends_at = now + 60, const std::string& subject = "user") {
    return R"({"iss":")" + issuer + R"(","aud":)" + audience + R"(,"sub":")" + subject +
           R"(","exp":)" + std::to_string(ends_at) + "}";
  }
  std::string code(const std::string& text) {
    return code_of(session_from_tokens(text, action(), now));
  }
  const KeyPtr key_ = test::rsa_key();
};

TEST_F(OidcTokens, MakeASessionOfTheClientsOwn) {
  const auto session = session_from_tokens(
      answer(claims(R"(["other","client"])"), R"(,"refresh_token":"again","expires_in":300)"),
      action(), now);
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ(session->subject, "user");
  EXPECT_EQ(session->access_token, "access");
  EXPECT_EQ(session->refresh_token, "again");
  EXPECT_EQ(session->access_ends_at, now + 300);
  EXPECT_EQ(session->ends_at, now + 604'800);
  const auto renewed = refreshed(*session, R"({"access_token":"new","expires_in":60})", now + 400);
  ASSERT_TRUE(renewed);
  EXPECT_EQ(renewed->access_token, "new");
  EXPECT_EQ(renewed->refresh_token, "again");
  EXPECT_EQ(renewed->access_ends_at, now + 460);
  EXPECT_EQ(renewed->ends_at, session->ends_at);
  EXPECT_EQ(code_of(refreshed(*session, "{}", now)), "AuthInvalidTokenResponse");
}

TEST_F(OidcTokens, OfOthersAreRefused) {
  EXPECT_EQ(code(answer(claims())), "ok");
  EXPECT_EQ(code(answer(claims("\"other\""))), "AuthInvalidIdToken");
  EXPECT_EQ(code(answer(claims("[]"))), "AuthInvalidIdToken");
  EXPECT_EQ(code(answer(claims("\"client\"", "https://other.example"))), "AuthInvalidIdToken");
  EXPECT_EQ(code(answer(claims("\"client\"", "https://idp.example", now - 61))),
            "AuthInvalidIdToken");
  EXPECT_EQ(code(answer(claims("\"client\"", "https://idp.example", now + 60, ""))),
            "AuthInvalidIdToken");
  EXPECT_EQ(code(answer(claims("\"client\"", "https://idp.example", now + 60, "a b"))),
            "AuthInvalidIdToken");
  EXPECT_EQ(code(R"({"access_token":"access"})"), "AuthInvalidIdToken");
  EXPECT_EQ(code(R"({"access_token":"a\r\nx: y"})"), "AuthInvalidTokenResponse");
  EXPECT_EQ(code("<html>"), "AuthInvalidTokenResponse");
}

TEST(Oidc, ClaimsAreOfTheSessionsSubjectAndBounded) {
  const Session session{"user", "access", "again", "", now + 300, now + 600};
  const auto told = with_claims(session, R"({"sub":"user","email":"u@example.org"})");
  ASSERT_TRUE(told);
  const auto back = session_of(text_of(*told));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->claims, told->claims);
  EXPECT_EQ(back->ends_at, session.ends_at);
  EXPECT_EQ(code_of(with_claims(session, R"({"sub":"other"})")), "AuthInvalidUserinfoResponse");
  EXPECT_EQ(code_of(with_claims(session, R"({})")), "AuthInvalidUserinfoResponse");
  EXPECT_EQ(code_of(with_claims(session, "x")), "AuthInvalidUserinfoResponse");
  EXPECT_EQ(code_of(with_claims(
                session, R"({"sub":"user","a":")" + std::string(session_bytes_max, 'a') + "\"}")),
            "AuthUserinfoResponseSizeExceeded");
  EXPECT_FALSE(session_of("{}"));
  // A session at the limit fits its cookies.
  EXPECT_TRUE(shards_of(seal(std::string(session_bytes_max, 'a'), {"session", "a"}, keys),
                        "AWSELBAuthSessionCookie"));
}

TEST(Oidc, WhatATargetIsToldIsSigned) {
  const KeyPtr key = test::curve_key("P-256");
  const Session session{"user", "access", "", R"({"sub":"user","email":"u"})", now + 300, now};
  std::string told = signed_claims(session, action(), {"arn:balancer", "k1", *key});
  EXPECT_EQ(told.find('=') != std::string::npos, true);
  // Without the padding, which is signed too, it is a token as others.
  const std::size_t end = told.rfind('.');
  const std::string signed_text = told.substr(0, end);
  std::erase(told, '=');
  auto token = Token::parse(told);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->key_id, "k1");
  EXPECT_EQ(token->claims["email"], "u");
  EXPECT_EQ(token->claims["exp"], now + 300);
  token->signed_text = signed_text;
  const auto known = KeySet::parse(test::set_of(test::curve_json(*key, "k1", "P-256", 32)));
  EXPECT_TRUE(verify(*token, *known));
}

}  // namespace
}  // namespace weir::auth
