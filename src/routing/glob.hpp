// Patterns with '*' (any number of characters, '/' and '.' included) and '?' (exactly one),
// anchored at both ends (reference §3.2).
//
// A pattern is cut at its stars into segments; the first is tied to the start, the last to the end,
// and those between are found leftmost, one after the other. Leftmost is never wrong, so nothing is
// ever tried twice: a subject byte meets at most the bytes of one segment, and no subject makes
// matching blow up.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "routing/text.hpp"

namespace weir::routing {

// Whether '\*' and '\?' stand for the characters themselves (query-string values).
enum class Escapes : unsigned char { none, backslash };

class Glob {
 public:
  Glob(std::string_view pattern, Case letter_case, Escapes escapes = Escapes::none);

  // `subject` went through matchable() with the same letter case.
  [[nodiscard]] bool matches(std::string_view subject) const;

  // Facts for an index. The literal text before the first and after the last wildcard.
  [[nodiscard]] std::string_view literal_prefix() const;
  [[nodiscard]] std::string_view literal_suffix() const;
  [[nodiscard]] std::string longest_literal() const;  // between any wildcards
  [[nodiscard]] bool is_exact() const;                // no wildcard: literal_prefix() is all of it
  [[nodiscard]] bool is_prefix_only() const;          // literal_prefix(), then one star
  [[nodiscard]] bool is_suffix_only() const;          // one star, then literal_suffix()

 private:
  struct Segment {
    std::string text;  // any_one stands for '?'; no subject holds that byte
    bool has_any_one = false;

    [[nodiscard]] bool matches_at(std::string_view subject, std::size_t offset) const;
    [[nodiscard]] std::size_t find(std::string_view subject, std::size_t from,
                                   std::size_t to) const;
  };
  static constexpr char any_one = '\0';

  std::vector<Segment> segments_;  // stars + 1
};

}  // namespace weir::routing
