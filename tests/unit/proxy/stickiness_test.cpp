// Sticky sessions over the wire (reference §4.4): clients that bring back their cookies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "data_plane_fixture.hpp"
#include "model/base64.hpp"

namespace weir::proxy {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

struct Answer {
  std::string body;  // the name of the target
  std::string head;
  std::map<std::string, std::string> cookies;  // that it sets
  std::vector<std::string> lines;              // the Set-Cookie lines
};

class StickinessTest : public DataPlaneTest {
 protected:
  void SetUp() override {
    DataPlaneTest::SetUp();
    stickiness_keys_["1"] = {"1", model::base64_encode(std::string(32, 'k')), 1};
    for (int i = 0; i < 3; ++i) add_named(std::to_string(i));
  }

  void make_sticky() {
    set_group("stickiness.enabled", "true");
    apply();
  }
  Answer get(const std::string& cookie, const std::string& more = "") {
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n" + more +
                (cookie.empty() ? "" : "Cookie: " + cookie + "\r\n") + "\r\n");
    Answer out;
    out.head = client.read_head();
    out.body = client.read_exactly(1);
    constexpr std::string_view field = "Set-Cookie: ";
    for (auto at = out.head.find(field); at != std::string::npos;
         at = out.head.find(field, at + 1)) {
      const auto start = at + field.size();
      out.lines.push_back(out.head.substr(start, out.head.find("\r\n", start) - start));
      const std::string& line = out.lines.back();
      const auto equals = line.find('=');
      out.cookies[line.substr(0, equals)] = line.substr(equals + 1, line.find(';') - equals - 1);
    }
    return out;
  }
  // Where twelve requests with the cookie go.
  std::set<std::string> places(const std::string& cookie) {
    std::set<std::string> out;
    for (int i = 0; i < 12; ++i) out.insert(get(cookie).body);
    return out;
  }
};

TEST_P(StickinessTest, OffNothingIsSetAndCookiesMeanNothing) {
  make_sticky();
  const std::string cookie = "AWSALB=" + get("").cookies["AWSALB"];
  set_group("stickiness.enabled", "false");
  apply();
  EXPECT_THAT(get(cookie).head, Not(HasSubstr("Set-Cookie")));
  EXPECT_EQ(places(cookie).size(), 3U);
}

TEST_P(StickinessTest, ACookieOfTheLoadBalancerBindsToATarget) {
  make_sticky();
  const Answer first = get("");
  ASSERT_EQ(first.lines.size(), 2U);
  const std::string form = "=[A-Za-z0-9+/]{128}; Expires=[A-Z][a-z][a-z], .* GMT; Path=/";
  EXPECT_THAT(first.lines[0], MatchesRegex("AWSALB" + form));
  EXPECT_THAT(first.lines[1], MatchesRegex("AWSALBCORS" + form + "; SameSite=None; Secure"));
  EXPECT_EQ(first.cookies.at("AWSALB"), first.cookies.at("AWSALBCORS"));
  const std::string value = first.cookies.at("AWSALB");
  EXPECT_EQ(places("a=b; AWSALB=" + value + "; c=d"), std::set{first.body});
  EXPECT_EQ(places("AWSALBCORS=" + value), std::set{first.body});
  EXPECT_EQ(places("").size(), 3U) << "who brings none is spread";
  const Answer again = get("AWSALB=" + value);
  EXPECT_NE(again.cookies.at("AWSALB"), value) << "issued again with every response";
  EXPECT_EQ(get("AWSALB=" + again.cookies.at("AWSALB")).body, first.body);
}

TEST_P(StickinessTest, TheCrossOriginCookieWins) {
  make_sticky();
  std::map<std::string, std::string> by_target;
  while (by_target.size() < 2) {
    const Answer answer = get("");
    by_target[answer.body] = answer.cookies.at("AWSALB");
  }
  const auto& [one, cookie_of_one] = *by_target.begin();
  const auto& [other, cookie_of_other] = *by_target.rbegin();
  EXPECT_EQ(get("AWSALB=" + cookie_of_one + "; AWSALBCORS=" + cookie_of_other).body, other);
  EXPECT_EQ(get("AWSALBCORS=" + cookie_of_one + "; AWSALB=" + cookie_of_other).body, one);
}

TEST_P(StickinessTest, AForgedOrEncodedValueIsAnsweredWithANewSession) {
  make_sticky();
  std::string value = get("").cookies.at("AWSALB");
  value[60] = value[60] == 'x' ? 'y' : 'x';
  EXPECT_EQ(places("AWSALB=" + value).size(), 3U);
  EXPECT_EQ(places("AWSALB=" + std::string(128, 'A')).size(), 3U);
  EXPECT_EQ(places("AWSALB=").size(), 3U);
  EXPECT_EQ(get("AWSALB=" + value).lines.size(), 2U);
}

TEST_P(StickinessTest, ASessionEndsWithItsDuration) {
  set_group("stickiness.lb_cookie.duration_seconds", "1");
  make_sticky();
  const Answer first = get("");
  const std::string cookie = "AWSALB=" + first.cookies.at("AWSALB");
  // The session is over within two seconds of the wall clock: asked until it is.
  const auto is_over = [&] { return places(cookie).size() > 1; };
  const std::int64_t end = monotonic_ms() + 10'000;
  bool over = false;
  while (!over && monotonic_ms() < end) over = is_over();
  EXPECT_TRUE(over);
}

TEST_P(StickinessTest, AGoneOrUnhealthyTargetGivesUpItsSessionsForGood) {
  make_sticky();
  for (const std::string name : {"0", "1", "2"}) set_health(name, routing::HealthState::healthy);
  const Answer first = get("");
  const std::string cookie = "AWSALB=" + first.cookies.at("AWSALB");
  ASSERT_EQ(places(cookie), std::set{first.body});
  cell(first.body).failed_at_ms.store(wall_ms() + 1000);
  set_health(first.body, routing::HealthState::unhealthy);
  const auto elsewhere = places(cookie);
  EXPECT_FALSE(elsewhere.contains(first.body));
  EXPECT_EQ(elsewhere.size(), 2U);
  set_health(first.body, routing::HealthState::healthy);
  EXPECT_EQ(places(cookie).size(), 3U) << "healthy again, but the session stays lost";
  const std::string second = get("").body;
  targets_.erase({"group", "127.0.0.1", port_of_.at(second)});
  apply();
  EXPECT_FALSE(places(cookie).contains(second));
}

TEST_P(StickinessTest, ATargetRegisteredAnewIsAnotherOne) {
  make_sticky();
  const Answer first = get("");
  auto& target = targets_[{"group", "127.0.0.1", port_of_.at(first.body)}];
  target.registered_at_ms = 5;
  apply();
  EXPECT_EQ(places("AWSALB=" + first.cookies.at("AWSALB")).size(), 3U);
}

TEST_P(StickinessTest, ARotatedKeyStillOpens) {
  make_sticky();
  const Answer first = get("");
  stickiness_keys_["2"] = {"2", model::base64_encode(std::string(32, 'n')), 2};
  apply();
  EXPECT_EQ(places("AWSALB=" + first.cookies.at("AWSALB")), std::set{first.body});
  stickiness_keys_.erase("1");
  apply();
  EXPECT_EQ(places("AWSALB=" + first.cookies.at("AWSALB")).size(), 3U);
}

TEST_P(StickinessTest, AnApplicationsCookieBindsOnceTheTargetHasSetIt) {
  set_group("stickiness.type", "app_cookie");
  set_group("stickiness.app_cookie.cookie_name", "SID");
  make_sticky();
  EXPECT_THAT(get("").lines, testing::IsEmpty()) << "the application has set none";
  targets_.clear();
  for (const std::string name : {"a", "b", "c"})
    add_named(name, "group", "all", "Set-Cookie: SID=" + name + "; Path=/\r\n");
  apply();
  const Answer first = get("");
  ASSERT_EQ(first.lines.size(), 5U);
  EXPECT_EQ(first.cookies.at("SID"), first.body) << "passed on untouched";
  EXPECT_EQ(first.cookies.at("AWSALBAPP-0").size(), 128U);
  for (const std::string shard : {"1", "2", "3"})
    EXPECT_EQ(first.cookies.at("AWSALBAPP-" + shard), "_remove_");
  EXPECT_THAT(first.head, Not(HasSubstr("SameSite")));
  const std::string ours = "AWSALBAPP-0=" + first.cookies.at("AWSALBAPP-0");
  EXPECT_EQ(places("SID=x; " + ours), std::set{first.body});
  EXPECT_EQ(places(ours).size(), 3U) << "both cookies have to come back";
  EXPECT_EQ(places("SID=x").size(), 3U);
  EXPECT_THAT(get("", "User-Agent: Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36\r\n").head,
              HasSubstr("Path=/; SameSite=None; Secure"));
  EXPECT_THAT(get("", "User-Agent: Mozilla/5.0 Chrome/79.0.0.0 Safari/537.36\r\n").head,
              Not(HasSubstr("SameSite")));
}

TEST_P(StickinessTest, AnApplicationsCookieDoesNotBindInWeightedGroups) {
  set_group("stickiness.type", "app_cookie");
  set_group("stickiness.app_cookie.cookie_name", "SID");
  make_sticky();
  targets_.clear();
  for (const std::string name : {"a", "b", "c"})
    add_named(name, "group", "all", "Set-Cookie: SID=" + name + "; Path=/\r\n");
  apply();
  const std::string ours = "SID=x; AWSALBAPP-0=" + get("").cookies.at("AWSALBAPP-0");
  groups_["second"] = groups_["group"];
  groups_["second"].arn = "second";
  set_default_action({1, model::ForwardAction{{{"group", 1}, {"second", 0}}, false, 0}});
  apply();
  EXPECT_EQ(places(ours).size(), 3U);
  EXPECT_THAT(get(ours).head, Not(HasSubstr("AWSALB")));
}

TEST_P(StickinessTest, WeightedGroupsKeepTheirClients) {
  model::TargetGroup second = groups_["group"];
  second.arn = "second";
  groups_["second"] = second;
  add_named("x", "second");
  add_named("y", "second");
  set_default_action({1, model::ForwardAction{{{"group", 1}, {"second", 1}}, true, 60}});
  apply();
  const Answer first = get("");
  ASSERT_EQ(first.lines.size(), 2U);
  EXPECT_THAT(first.lines[0], MatchesRegex("AWSALBTG=.*; Path=/"));
  EXPECT_THAT(first.lines[1], MatchesRegex("AWSALBTGCORS=.*; Path=/; SameSite=None; Secure"));
  const std::set<std::string> ones = {"0", "1", "2"};
  const std::set<std::string> others = {"x", "y"};
  const std::string cookie = "AWSALBTG=" + first.cookies.at("AWSALBTG");
  EXPECT_EQ(places(cookie), ones.contains(first.body) ? ones : others);
  // Weight 0 keeps what it has and gets nothing new.
  const bool is_first_group = ones.contains(first.body);
  set_default_action(
      {1, model::ForwardAction{
              {{"group", is_first_group ? 0 : 1}, {"second", is_first_group ? 1 : 0}}, true, 60}});
  apply();
  EXPECT_EQ(places(cookie), is_first_group ? ones : others);
  EXPECT_EQ(places(""), is_first_group ? others : ones);
  // Both kinds of stickiness at once.
  set_group("stickiness.enabled", "true");
  apply();
  const Answer both = get(is_first_group ? cookie : "");
  EXPECT_EQ(both.lines.size(), 4U);
}

INSTANTIATE_TEST_SUITE_P(Backends, StickinessTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
