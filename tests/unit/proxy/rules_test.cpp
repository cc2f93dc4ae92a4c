// Rules over the wire: which one takes a request, and what its action makes of it.
#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class RulesTest : public DataPlaneTest {
 protected:
  model::Rule& add_rule(int priority, std::vector<std::string> paths) {
    model::Rule& rule = rules_["rule" + std::to_string(priority)];
    rule.arn = "rule" + std::to_string(priority);
    rule.listener_arn = "listener";
    rule.priority = priority;
    rule.conditions = {{model::ConditionField::path_pattern, std::move(paths), {}, {}, {}}};
    rule.actions = {{1, model::ForwardAction{{{"group", 1}}, false, 0}}};
    return rule;
  }
  static model::Transform host(std::string regex, std::string replace) {
    return {model::TransformType::host_header_rewrite, std::move(regex), std::move(replace)};
  }
  static model::Transform url(std::string regex, std::string replace) {
    return {model::TransformType::url_rewrite, std::move(regex), std::move(replace)};
  }
  // What a target sees of the request, or what the client got where it saw nothing.
  std::string seen_by_target(const std::string& request) {
    std::string seen;
    TestTarget target([&](Connection& c) {
      seen = c.read_head();
      c.send(ok);
    });
    targets_.clear();
    serve(target);
    const std::string answer = ask(request);
    return seen.empty() ? answer : seen;
  }
};

TEST_P(RulesTest, TransformsRewriteHostAndUrlAfterTheChoice) {
  add_rule(1, {"/api/*"}).transforms = {host("^(.*)\\.example\\.com$", "$1.internal"),
                                        url("^/api/(.*)$", "/v2/$1")};
  const std::string seen =
      seen_by_target("GET /api/x?y=1 HTTP/1.1\r\nHost: Shop.Example.com:8080\r\n\r\n");
  EXPECT_THAT(seen, StartsWith("GET /v2/x?y=1 HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nHost: shop.internal\r\n"));
  EXPECT_THAT(seen_by_target("GET /other HTTP/1.1\r\nHost: shop.example.com\r\n\r\n"),
              HasSubstr("\r\nHost: shop.example.com\r\n"));
}

TEST_P(RulesTest, ARewrittenHostIsUsedEvenWhereHostsArePreserved) {
  set_attribute("routing.http.preserve_host_header.enabled", "true");
  add_rule(1, {"/*"}).transforms = {host("^shop\\.", "internal.")};
  EXPECT_THAT(seen_by_target("GET / HTTP/1.1\r\nHost: Shop.Example.com:8080\r\n\r\n"),
              HasSubstr("\r\nHost: internal.example.com:8080\r\n"));
  EXPECT_THAT(seen_by_target("GET / HTTP/1.1\r\nHost: Other.Example.com:8080\r\n\r\n"),
              HasSubstr("\r\nHost: Other.Example.com:8080\r\n"));
}

TEST_P(RulesTest, WhatATransformCannotMakeIs500) {
  add_rule(1, {"/*"}).transforms = {url("^/", "no-slash/")};
  apply();
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
}

TEST_P(RulesTest, AKeptConnectionForgetsTheTransform) {
  add_rule(1, {"/a"}).transforms = {url("^/a$", "/b"), host("^", "x.")};
  std::vector<std::string> seen;
  TestTarget target([&](Connection& c) {
    for (std::string head = c.read_head(); !head.empty(); head = c.read_head()) {
      seen.push_back(head);
      c.send(ok);
    }
  });
  serve(target);
  auto client = connect();
  for (const char* path : {"/a", "/c"}) {
    client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200"));
  }
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_THAT(seen[0], StartsWith("GET /b HTTP/1.1\r\n"));
  EXPECT_THAT(seen[0], HasSubstr("\r\nHost: x.h\r\n"));
  EXPECT_THAT(seen[1], StartsWith("GET /c HTTP/1.1\r\n"));
  EXPECT_THAT(seen[1], HasSubstr("\r\nHost: h\r\n"));
}

TEST_P(RulesTest, ARedirectFillsItsPlaceholdersAndShowsThePort) {
  model::RedirectAction to;
  to.path = "/moved/#{host}/#{port}/#{path}";
  to.query = "from=#{protocol}&#{query}";
  add_rule(1, {"/a*"}).actions = {{1, to}};
  model::RedirectAction secure;
  secure.protocol = "HTTPS";
  secure.port = "443";
  secure.status_code = 302;
  add_rule(2, {"/b*"}).actions = {{1, secure}};
  apply();
  const std::string moved = ask("GET /a/b?x=1 HTTP/1.1\r\nHost: Web.Example:8080\r\n\r\n");
  EXPECT_THAT(moved, StartsWith("HTTP/1.1 301 Moved Permanently\r\n"));
  EXPECT_THAT(moved, HasSubstr("\r\nLocation: http://web.example:80/moved/web.example/80/a/b"
                               "?from=http&x=1\r\n"));
  const std::string found = ask("GET /b HTTP/1.1\r\nHost: Web.Example\r\n\r\n");
  EXPECT_THAT(found, StartsWith("HTTP/1.1 302 "));
  EXPECT_THAT(found, HasSubstr("\r\nLocation: https://web.example:443/b\r\n"))
      << "an empty query shows no question mark";
}

TEST_P(RulesTest, ARedirectLongerThan8KIs507) {
  model::RedirectAction to;
  to.path = "/#{path}#{path}";
  add_rule(1, {"/*"}).actions = {{1, to}};
  apply();
  const auto status = [&](std::size_t bytes) {
    return ask("GET /" + std::string(bytes, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n").substr(9, 3);
  };
  EXPECT_EQ(status(4000), "301");
  EXPECT_EQ(status(4200), "507");
}

TEST_P(RulesTest, AFixedResponseHasItsTypeAndBody) {
  add_rule(1, {"/plain"}).actions = {{1, model::FixedResponseAction{404, "", "gone"}}};
  add_rule(2, {"/json"}).actions = {{1, model::FixedResponseAction{503, "application/json", "{}"}}};
  apply();
  const std::string plain = ask("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(plain, StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(plain, HasSubstr("\r\nContent-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(plain, testing::EndsWith("\r\n\r\ngone"));
  const std::string json = ask("GET /json HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(json, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(json, testing::EndsWith("\r\n\r\n{}"));
}

INSTANTIATE_TEST_SUITE_P(Backends, RulesTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
