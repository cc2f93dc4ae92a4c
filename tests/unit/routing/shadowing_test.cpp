// Rules that can never match: what is reported is true, and what people write by mistake is found.
#include "routing/shadowing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "draw.hpp"
#include "routing/condition.hpp"
#include "routing/pattern_cover.hpp"

namespace weir::routing {
namespace {

using test::header;
using test::host;
using test::method;
using test::path;
using test::query;
using test::regex;
using test::source_ip;

model::Rule rule(int priority, std::vector<model::Condition> conditions) {
  model::Rule out;
  out.priority = priority;
  out.conditions = std::move(conditions);
  return out;
}

bool covers(std::vector<model::Condition> covering, std::vector<model::Condition> covered) {
  return routing::covers(rule(1, std::move(covering)), rule(2, std::move(covered)));
}

TEST(PatternCover, StarsTakeAllThatIsLonger) {
  const auto exact = [](std::string_view a, std::string_view b) {
    return pattern_covers(a, b, Case::exact);
  };
  EXPECT_TRUE(exact("*", ""));
  EXPECT_TRUE(exact("/a*", "/a"));
  EXPECT_TRUE(exact("/a*", "/a/b*"));
  EXPECT_TRUE(exact("/*/x", "/a/b?/x"));
  EXPECT_TRUE(exact("*b*", "a*b*c"));
  EXPECT_TRUE(exact("*?", "?*"));
  EXPECT_TRUE(exact("?*", "*??*"));
  EXPECT_TRUE(exact("a?c", "abc"));
  EXPECT_FALSE(exact("/a/*", "/a*"));
  EXPECT_FALSE(exact("/a", "/a*"));
  EXPECT_FALSE(exact("a?c", "a*c"));
  EXPECT_FALSE(exact("?", "*"));
  EXPECT_FALSE(exact("/A*", "/a*"));
  EXPECT_TRUE(pattern_covers("*.EXAMPLE.com", "www.example.com", Case::folded));
}

TEST(PatternCover, EscapedWildcardsAreCharacters) {
  const auto escaped = [](std::string_view a, std::string_view b) {
    return pattern_covers(a, b, Case::folded, Escapes::backslash);
  };
  EXPECT_TRUE(escaped("a\\*b", "a\\*b"));
  EXPECT_TRUE(escaped("a?b", "a\\*b"));
  EXPECT_FALSE(escaped("a\\*b", "a*b"));
  EXPECT_FALSE(escaped("a\\?b", "axb"));
}

TEST(Covers, EveryConditionMustBeImplied) {
  EXPECT_TRUE(covers({path({"/a*"})}, {path({"/a/b", "/a/c*"}), method({"GET"})}));
  EXPECT_FALSE(covers({path({"/a*"}), method({"GET"})}, {path({"/a/b"})}));
  EXPECT_FALSE(covers({path({"/a*"})}, {path({"/a/b", "/c"})}));
  EXPECT_TRUE(covers({host({"*.A.example"})}, {host({"x.a.EXAMPLE"}), path({"/"})}));
  EXPECT_TRUE(covers({method({"GET", "HEAD"})}, {method({"HEAD"})}));
  EXPECT_FALSE(covers({method({"GET"})}, {method({"GET", "HEAD"})}));
  EXPECT_TRUE(covers({source_ip({"10.0.0.0/8"})}, {source_ip({"10.1.0.0/16", "10.2.3.4/32"})}));
  EXPECT_FALSE(covers({source_ip({"10.1.0.0/16"})}, {source_ip({"10.0.0.0/8"})}));
  EXPECT_TRUE(covers({header("X-T", {"a*"})}, {header("x-t", {"AB"})}));
  EXPECT_FALSE(covers({header("X-T", {"a*"})}, {header("x-u", {"ab"})}));
}

TEST(Covers, KeysAndValuesOfTheQuery) {
  EXPECT_TRUE(covers({query({{{}, "v*"}})}, {query({{"k", "v1"}})}));
  EXPECT_TRUE(covers({query({{"k*", "*"}})}, {query({{"key", "v"}})}));
  EXPECT_FALSE(covers({query({{"k", "*"}})}, {query({{{}, "v"}})}));
}

TEST(Covers, RegularExpressionsByTheirText) {
  const auto field = model::ConditionField::path_pattern;
  EXPECT_TRUE(covers({regex(field, {"^/a", "^/b"})}, {regex(field, {"^/b"})}));
  EXPECT_FALSE(covers({regex(field, {"^/a"})}, {regex(field, {"^/a/b"})}));
  EXPECT_TRUE(covers({path({"*"})}, {regex(field, {"^/a"})}));
}

TEST(Shadows, TheFirstThatCoversIsNamed) {
  const auto wide = rule(10, {path({"/api/*"})});
  const auto other = rule(20, {path({"/web"})});
  const auto narrow = rule(30, {path({"/api/v1/*"}), method({"GET"})});
  const std::vector<const model::Rule*> rules{&wide, &other, &narrow};
  const auto all = shadows_among(rules);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].covering, &wide);
  EXPECT_EQ(all[0].covered, &narrow);
  EXPECT_EQ(shadows_with(rules, narrow).at(0).covering, &wide);
  EXPECT_EQ(shadows_with(rules, wide).at(0).covered, &narrow);
  EXPECT_TRUE(shadows_with(rules, other).empty());
}

bool takes(const model::Rule& one, const test::Request& request) {
  const http::RequestHead head = request.head();
  const RequestFacts facts{head, request.client_ip};
  Subject subject(facts);
  return std::ranges::all_of(one.conditions, [&](const auto& condition) {
    return holds(compile_condition(condition), subject);
  });
}

TEST(ShadowsProperty, NoRequestMeetsACoveredRuleAlone) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("WEIR_TEST_SEED=" + std::to_string(seed));
  test::Draw draw(seed);
  std::size_t covered = 0, taken = 0;
  for (int round = 0; round < 60'000; ++round) {
    const auto wide = rule(1, round % 2 == 0 ? draw.conditions() : draw.crowded());
    auto narrow = rule(2, round % 2 == 0 ? draw.conditions() : draw.crowded());
    // Often a rule beside the first one's own conditions: as people refine one that they have.
    if (draw.below(2) == 0)
      narrow.conditions.insert(narrow.conditions.end(), wide.conditions.begin(),
                               wide.conditions.end());
    if (!routing::covers(wide, narrow)) continue;
    ++covered;
    for (int i = 0; i < 20; ++i) {
      const test::Request request = draw.request();
      if (!takes(narrow, request)) continue;
      ++taken;
      ASSERT_TRUE(takes(wide, request)) << request.authority << ' ' << request.path;
    }
  }
  EXPECT_GT(covered, 5'000U);
  EXPECT_GT(taken, 5'000U) << "covered rules hardly ever match: the test proves nothing";
}

}  // namespace
}  // namespace weir::routing
