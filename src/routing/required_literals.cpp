#include "routing/required_literals.hpp"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <numeric>

namespace weir::routing {
namespace {

constexpr int literal_bytes_min = 3;

void keep_longest(std::vector<std::string>& texts) {
  const auto longest = std::ranges::max_element(texts, {}, &std::string::size);
  if (longest != texts.end()) texts = {*longest};
}

// RE2's prefilter is a formula of "and" and "or" over literals. A literal without which the formula
// cannot hold is enough by itself; where there is none, one of all of them must be there.
std::vector<std::string> literals_of(const re2::RE2& regex) {
  re2::FilteredRE2 filter(literal_bytes_min);
  int id = 0;
  if (filter.Add(regex.pattern(), regex.options(), &id) != re2::RE2::NoError) return {};
  std::vector<std::string> literals;
  filter.Compile(&literals);
  std::vector<std::string> necessary;
  for (std::size_t without = 0; without < literals.size(); ++without) {
    std::vector<int> others(literals.size());
    std::iota(others.begin(), others.end(), 0);
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(without));
    std::vector<int> possible;
    filter.AllPotentials(others, &possible);
    if (possible.empty()) necessary.push_back(literals[without]);
  }
  keep_longest(necessary);
  return necessary.empty() ? literals : necessary;
}

std::vector<std::string> literals_of(const Glob& glob) {
  std::vector<std::string> out;
  if (std::string literal = glob.longest_literal(); literal.size() >= literal_bytes_min)
    out.push_back(matchable(literal, Case::folded));
  return out;
}

// False: this pattern has none.
bool add(std::vector<std::string>& out, std::vector<std::string> literals) {
  if (literals.empty()) return false;
  out.insert(out.end(), literals.begin(), literals.end());
  return true;
}

}  // namespace

std::vector<std::string> required_literals(const TextPatterns& patterns) {
  std::vector<std::string> out;
  for (const Glob& glob : patterns.globs) {
    if (!add(out, literals_of(glob))) return {};
  }
  for (const auto& regex : patterns.regexes) {
    if (!add(out, literals_of(*regex))) return {};
  }
  std::ranges::sort(out);
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

std::uint32_t InfixTable::insert(std::string_view text) {
  if (text.size() > infix_bytes_max) text.remove_prefix(text.size() - infix_bytes_max);
  return table_.insert(text, AffixTable::Kind::affix);
}

}  // namespace weir::routing
