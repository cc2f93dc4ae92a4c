#include "routing/pattern_cover.hpp"

#include <cstddef>
#include <string>

namespace weir::routing {
namespace {

// Symbols that no pattern's text holds once it is matchable.
constexpr char any_number = '\1';
constexpr char any_one = '\2';

// One symbol a character; in a run of wildcards the stars become one, at its end: "*?*" and "?*"
// are the same.
std::string symbols_of(std::string_view pattern, Case letter_case, Escapes escapes) {
  const std::string text = matchable(pattern, letter_case);
  std::string out;
  bool has_star = false;  // before the place that `out` has reached
  const auto end_run = [&] {
    if (has_star) out += any_number;
    has_star = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = escapes == Escapes::backslash && text[i] == '\\' &&
                           i + 1 < text.size() && (text[i + 1] == '*' || text[i + 1] == '?');
    if (!is_escape && text[i] == '*') {
      has_star = true;
    } else if (!is_escape && text[i] == '?') {
      out += any_one;
    } else {
      end_run();
      out += is_escape ? text[++i] : text[i];
    }
  }
  end_run();
  return out;
}

bool takes(char covering, char covered) {
  return covering == covered || (covering == any_one && covered != any_number);
}

}  // namespace

// The covering pattern is matched against the symbols of the other as if they were text: a star
// takes any of them, '?' one that stands for one character. Leftmost, as subjects are matched: at a
// mismatch the last star takes one symbol more.
bool pattern_covers(std::string_view covering, std::string_view covered, Case letter_case,
                    Escapes escapes) {
  if (covering == "*") return true;
  const std::string pattern = symbols_of(covering, letter_case, escapes);
  const std::string subject = symbols_of(covered, letter_case, escapes);
  constexpr std::size_t none = std::string::npos;
  std::size_t at = 0, after_star = none, resume = 0;
  for (std::size_t i = 0; i < subject.size();) {
    if (at < pattern.size() && pattern[at] == any_number) {
      after_star = ++at;
      resume = i;
    } else if (at < pattern.size() && takes(pattern[at], subject[i])) {
      ++at;
      ++i;
    } else if (after_star != none) {
      at = after_star;
      i = ++resume;
    } else {
      return false;
    }
  }
  if (at < pattern.size() && pattern[at] == any_number) ++at;
  return at == pattern.size();
}

}  // namespace weir::routing
