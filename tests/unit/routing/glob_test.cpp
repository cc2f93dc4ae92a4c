#include "routing/glob.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace weir::routing {
namespace {

struct Row {
  std::string_view pattern, subject;
  bool matches;
};

TEST(Glob, Table) {
  const Row rows[] = {
      {"/img", "/img", true},
      {"/img", "/img/", false},
      {"/img", "/IMG", false},
      {"/img/*", "/img/", true},
      {"/img/*", "/img", false},
      {"/img/*", "/img/a/b.png", true},
      {"*", "", true},
      {"*", "/anything", true},
      {"**", "/", true},
      {"", "", true},
      {"", "/", false},
      {"?", "", false},
      {"?", "a", true},
      {"/a?c", "/abc", true},
      {"/a?c", "/ac", false},
      {"/a?*", "/a", false},
      {"/a?*", "/ab", true},
      {"/*/picture/*", "/a/b/picture/c", true},
      {"/*/picture/*", "/picture/c", false},
      {"*.jpg", "/a.jpg.jpg", true},
      {"*.jpg", "/a.jpg.", false},
      {"/a*a", "/a", false},
      {"/a*a", "/aa", true},
      {"*ab*ab*", "abab", true},
      {"*ab*ab*", "aab", false},
      {"*a?b*c", "xxaab-axb-c", true},
      {"*?x*", "x", false},
      {"*?x*", "xx", true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Glob(row.pattern, Case::exact).matches(row.subject), row.matches)
        << row.pattern << " on " << row.subject;
  }
}

TEST(Glob, BackslashEscapesWhereAskedFor) {
  EXPECT_TRUE(Glob("a\\*b", Case::exact, Escapes::backslash).matches("a*b"));
  EXPECT_FALSE(Glob("a\\*b", Case::exact, Escapes::backslash).matches("axb"));
  EXPECT_TRUE(Glob("\\??", Case::exact, Escapes::backslash).matches("?x"));
  EXPECT_TRUE(Glob("a\\b\\", Case::exact, Escapes::backslash).matches("a\\b\\"));
  EXPECT_TRUE(Glob("a\\*b", Case::exact).matches("a\\xb"));
}

TEST(Glob, FactsForAnIndex) {
  EXPECT_TRUE(Glob("/a", Case::exact).is_exact());
  EXPECT_FALSE(Glob("/?", Case::exact).is_exact());
  EXPECT_TRUE(Glob("/a/*", Case::exact).is_prefix_only());
  EXPECT_FALSE(Glob("/?/*", Case::exact).is_prefix_only());
  EXPECT_FALSE(Glob("/a/*b", Case::exact).is_prefix_only());
  EXPECT_TRUE(Glob("*.example.com", Case::folded).is_suffix_only());
  EXPECT_FALSE(Glob("a*.example.com", Case::folded).is_suffix_only());
  EXPECT_EQ(Glob("/a?b/*", Case::exact).literal_prefix(), "/a");
  EXPECT_EQ(Glob("*?.Example.com", Case::folded).literal_suffix(), ".example.com");
  EXPECT_EQ(Glob("a*", Case::folded).literal_suffix(), "");
}

// With backtracking this would take longer than the universe is old.
TEST(Glob, HostileSubjectsCostLinearTime) {
  const Glob glob("*a?a*a?a*a?a*a?a*a?a*b", Case::exact);
  const std::string subject(1 << 20, 'a');
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(glob.matches(subject + "c"));
  EXPECT_FALSE(Glob("*aaaaaaaa?aaaaaaab*", Case::exact).matches(subject));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Matchable, TakesOutWhatIsNotVisible) {
  std::string scratch;
  EXPECT_EQ(matchable("a\tb\x7f \xc3\xa9z", Case::exact, scratch), "ab z");
  EXPECT_EQ(matchable("ABc", Case::folded, scratch), "abc");
  const std::string_view clean = "clean";
  EXPECT_EQ(matchable(clean, Case::folded, scratch).data(), clean.data()) << "copied needlessly";
}

TEST(WithoutPort, HostsAndAddresses) {
  EXPECT_EQ(without_port("a.b:80"), "a.b");
  EXPECT_EQ(without_port("a.b"), "a.b");
  EXPECT_EQ(without_port("[::1]:80"), "[::1]");
  EXPECT_EQ(without_port("[::1"), "");
  EXPECT_EQ(without_port(""), "");
}

}  // namespace
}  // namespace weir::routing
