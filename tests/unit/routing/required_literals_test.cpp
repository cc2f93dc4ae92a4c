#include "routing/required_literals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

namespace weir::routing {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> of_regexes(const std::vector<std::string>& texts) {
  return required_literals(TextPatterns({}, texts, Case::exact));
}
std::vector<std::string> of_globs(const std::vector<std::string>& texts) {
  return required_literals(TextPatterns(texts, {}, Case::exact));
}

TEST(RequiredLiterals, OfARegexTheLongestThatNoMatchCanDoWithout) {
  EXPECT_THAT(of_regexes({"^/Service-042/[0-9]+$"}), ElementsAre("/service-042/"));
  EXPECT_THAT(of_regexes({"-042\\.(jpg|png)$"}), ElementsAre("-042.jpg", "-042.png"));
  EXPECT_THAT(of_regexes({"(foo|bar)[0-9]+"}), ElementsAre("bar", "foo"));
  EXPECT_THAT(of_regexes({"^[a-z]+$"}), IsEmpty());
  EXPECT_THAT(of_regexes({"(longer)?abc"}), ElementsAre("abc"));
}

TEST(RequiredLiterals, OfAGlobTheLongestRunWithoutWildcards) {
  EXPECT_THAT(of_globs({"*a?bcd*ef"}), ElementsAre("bcd"));
  EXPECT_THAT(of_globs({"*ab?"}), IsEmpty());
}

TEST(RequiredLiterals, EveryAlternativeNeedsOne) {
  EXPECT_THAT(of_globs({"*abc*", "*abc*", "*xyz"}), ElementsAre("abc", "xyz"));
  EXPECT_THAT(of_regexes({"abc", "[a-z]"}), IsEmpty());
}

TEST(InfixTable, FindsTextsAnywhere) {
  InfixTable table;
  const auto abc = table.insert("abc");
  const auto cut = table.insert("0123456789abcdefgh");
  EXPECT_EQ(table.insert("abc"), abc);
  EXPECT_EQ(table.insert("23456789abcdefgh"), cut) << "only the last 16 bytes are kept";
  const auto found = [&](std::string_view subject) {
    std::vector<std::uint32_t> out;
    table.visit_matches(subject, [&](std::uint32_t number) { out.push_back(number); });
    return out;
  };
  EXPECT_THAT(found("xabcabc"), ElementsAre(abc, abc));
  EXPECT_THAT(found("x23456789abcdefgh"), ElementsAre(cut, abc));
  EXPECT_THAT(found("ab"), IsEmpty());
  EXPECT_THAT(found(""), IsEmpty());
}

}  // namespace
}  // namespace weir::routing
