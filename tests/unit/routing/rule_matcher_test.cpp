#include "routing/rule_matcher.hpp"

#include <gtest/gtest.h>

#include "requests.hpp"

namespace weir::routing {
namespace {

using model::ConditionField;
using test::Request;

bool matches(std::vector<model::Condition> conditions, const Request& request) {
  RuleMatcher matcher;
  matcher.add(conditions);
  const http::RequestHead head = request.head();
  return matcher.first_match({head, request.client_ip}).has_value();
}

Request on_path(std::string path) {
  Request out;
  out.path = std::move(path);
  return out;
}
Request on_host(std::string host) {
  Request out;
  out.authority = std::move(host);
  return out;
}
Request with_query(std::string query) {
  Request out;
  out.query = std::move(query);
  return out;
}
Request with_headers(std::vector<std::pair<std::string, std::string>> headers) {
  Request out;
  out.headers = std::move(headers);
  return out;
}

TEST(PathPattern, IsCaseSensitiveAndNeverSeesTheQuery) {
  EXPECT_TRUE(matches({test::path({"/cluster1"})}, on_path("/cluster1")));
  EXPECT_FALSE(matches({test::path({"/cluster1"})}, on_path("/Cluster1")));
  EXPECT_FALSE(matches({test::path({"/cluster1"})}, on_path("/cluster1/")));
  Request request = on_path("/a");
  request.query = "/b";
  EXPECT_FALSE(matches({test::path({"*b"})}, request));
  EXPECT_TRUE(matches({test::path({"/x", "/y", "/a"})}, request));
  EXPECT_TRUE(matches({test::path({"*"})}, request));
}

TEST(PathPattern, ControlCharactersTakeNoPart) {
  EXPECT_TRUE(matches({test::path({"/ab"})}, on_path("/a\x01"
                                                     "b\x7f")));
  EXPECT_TRUE(matches({test::path({"/ab/*"})}, on_path("/a\x01"
                                                       "b/c")));
}

TEST(HostHeader, IsCaseInsensitiveAndWithoutPort) {
  EXPECT_TRUE(matches({test::host({"WWW.example.com"})}, on_host("www.EXAMPLE.com:8080")));
  EXPECT_TRUE(matches({test::host({"*.example.com"})}, on_host("a.b.Example.com")));
  EXPECT_FALSE(matches({test::host({"*.example.com"})}, on_host("example.com")));
  EXPECT_TRUE(matches({test::host({"a?c-*.example.com"})}, on_host("abc-1.example.com")));
  EXPECT_FALSE(matches({test::host({"a?c-*.example.com"})}, on_host("abbc-1.example.com")));
  EXPECT_FALSE(matches({test::host({"example.com"})}, on_host("")));
}

TEST(HttpHeader, NameAndValuesAreCaseInsensitiveLineByLine) {
  const auto condition = test::header("X-Tenant", {"blue", "Gr?en*"});
  EXPECT_TRUE(matches({condition}, with_headers({{"x-tenant", "BLUE"}})));
  EXPECT_TRUE(matches({condition}, with_headers({{"X-TENANT", "red"}, {"X-Tenant", "greEns"}})));
  EXPECT_FALSE(matches({condition}, with_headers({{"X-Tenant", "red"}, {"X-Other", "blue"}})));
  EXPECT_FALSE(matches({condition}, {}));
  EXPECT_TRUE(matches({test::header("user-agent", {"*curl*"})},
                      with_headers({{"User-Agent", "curl/8.0"}})));
  EXPECT_FALSE(matches({test::header("user-agent", {"*curl*"})},
                       with_headers({{"X-User-Agent", "curl/8.0"}})));
}

TEST(Method, IsExact) {
  Request request;
  request.method = "PURGE";
  EXPECT_TRUE(matches({test::method({"GET", "PURGE"})}, request));
  EXPECT_FALSE(matches({test::method({"purge"})}, request));
  EXPECT_FALSE(matches({test::method({"PURG*"})}, request));
}

TEST(QueryString, PairsAreRawAndCaseInsensitive) {
  using model::QueryStringPair;
  const auto keyed = test::query({QueryStringPair{"Version", "v1*"}});
  EXPECT_TRUE(matches({keyed}, with_query("a=b&VERSION=V1.2")));
  EXPECT_FALSE(matches({keyed}, with_query("aversion=v1")));
  EXPECT_FALSE(matches({keyed}, with_query("version=2&x=v1")));
  const auto any_key = test::query({QueryStringPair{{}, "a=b"}, QueryStringPair{{}, "z"}});
  EXPECT_TRUE(matches({any_key}, with_query("k=a=b")));
  EXPECT_TRUE(matches({any_key}, with_query("k=Z")));
  EXPECT_FALSE(matches({any_key}, with_query("z")));
  EXPECT_TRUE(matches({test::query({QueryStringPair{"flag", ""}})}, with_query("x&flag")));
  EXPECT_TRUE(matches({test::query({QueryStringPair{{}, "\\*"}})}, with_query("k=*")));
  EXPECT_FALSE(matches({test::query({QueryStringPair{{}, "\\*"}})}, with_query("k=x")));
  EXPECT_FALSE(matches({test::query({QueryStringPair{{}, "%61"}})}, with_query("k=a")));
  EXPECT_FALSE(matches({test::query({QueryStringPair{{}, "*"}})}, {}));
}

TEST(SourceIp, IsTheClientsAddress) {
  Request request;
  request.client_ip = "10.1.2.3";
  request.headers = {{"X-Forwarded-For", "192.0.2.7"}};
  EXPECT_TRUE(matches({test::source_ip({"192.0.2.0/24", "10.0.0.0/8"})}, request));
  EXPECT_FALSE(matches({test::source_ip({"192.0.2.0/24"})}, request));
  request.client_ip = "not an address";
  EXPECT_FALSE(matches({test::source_ip({"0.0.0.0/0"})}, request));
}

TEST(Regex, IsUnanchoredAndFollowsTheFieldsCase) {
  EXPECT_TRUE(
      matches({test::regex(ConditionField::path_pattern, {"^/v[0-9]+/"})}, on_path("/v12/x")));
  EXPECT_FALSE(
      matches({test::regex(ConditionField::path_pattern, {"^/V[0-9]+/"})}, on_path("/v12/x")));
  EXPECT_TRUE(matches({test::regex(ConditionField::path_pattern, {"12"})}, on_path("/v12/x")));
  EXPECT_TRUE(matches({test::regex(ConditionField::host_header, {"^API\\.(a|b)\\."})},
                      on_host("api.b.example.com:80")));
  EXPECT_TRUE(matches({test::regex(ConditionField::http_header, {"^Bot"}, "User-Agent")},
                      with_headers({{"user-agent", "bot/1"}})));
  EXPECT_FALSE(matches({test::regex(ConditionField::path_pattern, {"("})}, on_path("/(")));
}

TEST(Conditions, AllMustHold) {
  Request request = on_path("/a");
  request.authority = "a.example.com";
  request.method = "POST";
  const auto path = test::path({"/a"});
  const auto host = test::host({"*.example.com"});
  EXPECT_TRUE(matches({path, host, test::method({"POST"})}, request));
  EXPECT_FALSE(matches({path, host, test::method({"GET"})}, request));
  EXPECT_FALSE(matches({test::path({"/b"}), host}, request));
  EXPECT_FALSE(matches({path, test::host({"b.example.com"})}, request));
  EXPECT_FALSE(matches({path, test::path({"/b"})}, request)) << "a second condition on the path";
  EXPECT_TRUE(matches({}, request));
}

TEST(Priority, FirstOfAllCandidatesWins) {
  RuleMatcher matcher;
  matcher.add({test::path({"*.jpg"})});                           // 0: not to be filed
  matcher.add({test::host({"a.com"}), test::path({"/img/*"})});   // 1
  matcher.add({test::path({"/img/*"}), test::method({"POST"})});  // 2
  matcher.add({test::path({"/img/x"})});                          // 3
  matcher.add({test::host({"a.com"})});                           // 4
  matcher.add({test::path({"/*"})});                              // 5
  const auto choose = [&](std::string host, std::string path, std::string method) {
    Request request;
    request.authority = std::move(host);
    request.path = std::move(path);
    request.method = std::move(method);
    const auto head = request.head();
    return matcher.first_match({head, request.client_ip});
  };
  EXPECT_EQ(choose("a.com", "/img/x.jpg", "GET"), 0U);
  EXPECT_EQ(choose("a.com", "/img/x", "POST"), 1U);
  EXPECT_EQ(choose("b.com", "/img/x", "POST"), 2U);
  EXPECT_EQ(choose("b.com", "/img/x", "GET"), 3U);
  EXPECT_EQ(choose("a.com", "/other", "GET"), 4U);
  EXPECT_EQ(choose("b.com", "/other", "GET"), 5U);
  EXPECT_EQ(choose("b.com", "*", "OPTIONS"), std::nullopt);
}

TEST(Priority, HoldsAmongRulesThatAreFiledByOtherKeys) {
  RuleMatcher matcher;
  matcher.add({test::regex(ConditionField::path_pattern, {"-7\\.(jpg|png)$"})});   // 0: infix
  matcher.add({test::header("X-Tenant", {"Blue", "gr*"})});                        // 1: header
  matcher.add({test::regex(ConditionField::host_header, {"\\.EXAMPLE\\.com$"})});  // 2: host infix
  matcher.add({test::regex(ConditionField::path_pattern, {"^/[A-Z]$"})});          // 3: no key
  matcher.add({test::header("X-Other", {"blue"}), test::method({"PUT"})});         // 4
  const auto choose = [&](std::string host, std::string path, std::string tenant,
                          std::string method = "GET") {
    Request request = with_headers({{"x-tenant", std::move(tenant)}});
    request.authority = std::move(host);
    request.path = std::move(path);
    request.method = std::move(method);
    const auto head = request.head();
    return matcher.first_match({head, request.client_ip});
  };
  EXPECT_EQ(choose("a.example.com", "/x-7.png", "blue"), 0U);
  EXPECT_EQ(choose("a.example.com", "/x-8.png", "BLUE"), 1U);
  EXPECT_EQ(choose("a.example.com", "/x-8.png", "green"), 1U);
  EXPECT_EQ(choose("A.Example.com:80", "/X", "red"), 2U);
  EXPECT_EQ(choose("b", "/X", "red"), 3U);
  EXPECT_EQ(choose("b", "/x", "red", "PUT"), std::nullopt);
}

TEST(Conditions, TextsLongerThanAnIndexedAffix) {
  const std::string longest(300, 'x');
  EXPECT_TRUE(matches({test::path({"/" + longest + "*"})}, on_path("/" + longest + "y")));
  EXPECT_FALSE(matches({test::path({"/" + longest + "*"})}, on_path("/" + longest.substr(1))));
  EXPECT_TRUE(matches({test::path({"/" + longest})}, on_path("/" + longest)));
  EXPECT_TRUE(matches({test::host({"*" + longest + ".com"})}, on_host("a" + longest + ".com")));
  EXPECT_FALSE(
      matches({test::host({"*" + longest + ".com"})}, on_host(longest.substr(1) + ".com")));
}

}  // namespace
}  // namespace weir::routing
