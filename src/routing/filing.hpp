// Under which text of a pattern a rule can be filed: its literal beginning or end, or all of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "routing/affix_table.hpp"
#include "routing/condition.hpp"

namespace weir::routing {

// A rule as it is filed, with what its place in an index says about a request found there.
struct Candidate {
  std::uint32_t rule = 0;
  bool is_path_proven = false;
  bool is_host_proven = false;
  bool has_others = false;
};

// The text, and whether a subject found there is sure to match the pattern.
struct FilingKey {
  std::string_view text;
  AffixTable::Kind kind = AffixTable::Kind::affix;
  bool is_proof = false;

  [[nodiscard]] bool can_file() const { return kind == AffixTable::Kind::whole || !text.empty(); }
};

[[nodiscard]] inline FilingKey front_key(const Glob& glob) {
  const std::string_view prefix = glob.literal_prefix();
  if (glob.is_exact()) return {prefix, AffixTable::Kind::whole, true};
  const std::string_view cut = prefix.substr(0, AffixTable::affix_bytes_max);
  return {cut, AffixTable::Kind::affix, glob.is_prefix_only() && cut.size() == prefix.size()};
}

[[nodiscard]] inline FilingKey back_key(const Glob& glob) {
  const std::string_view suffix = glob.literal_suffix();
  if (glob.is_exact()) return {suffix, AffixTable::Kind::whole, true};
  const std::size_t bytes = std::min(suffix.size(), AffixTable::affix_bytes_max);
  return {suffix.substr(suffix.size() - bytes), AffixTable::Kind::affix,
          glob.is_suffix_only() && bytes == suffix.size()};
}

// Every alternative of the patterns must have a text to be filed under.
template <typename KeyOf>
[[nodiscard]] bool can_be_filed(const TextPatterns& patterns, KeyOf key_of) {
  return patterns.regexes.empty() && std::ranges::all_of(patterns.globs, [&](const Glob& glob) {
           return key_of(glob).can_file();
         });
}

}  // namespace weir::routing
