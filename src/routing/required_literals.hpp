// What a subject must contain for a pattern to match it: the key by which rules are filed whose
// patterns are tied to no end of the text.
//
// Ten thousand expressions tried in order cost ten thousand matches, and one automaton of all of
// them (RE2::Set) grows a state of ten thousand threads for each new byte that a client thinks of.
// But nearly every expression contains a literal that no match can do without; RE2's prefilter
// knows it. Filed by that literal, a request meets the expressions whose literals its own text
// contains.
#pragma once

#include <string>
#include <vector>

#include "routing/affix_table.hpp"
#include "routing/condition.hpp"

namespace weir::routing {

// Lower case. Every subject that matches contains, once folded, at least one of these. Empty where
// no such texts are known (as for "^[a-z]+$").
[[nodiscard]] std::vector<std::string> required_literals(const TextPatterns& patterns);

// Texts found anywhere in a subject. Its cost is that of the subject's length, not of their number.
class InfixTable {
 public:
  static constexpr std::size_t infix_bytes_max = 16;

  // The number of the text, which is cut to its last 16 bytes; from 0 in order of first insertion.
  std::uint32_t insert(std::string_view text);
  [[nodiscard]] bool empty() const { return table_.size() == 0; }

  // Calls visit(number) for each stored text in `subject`, once for each place.
  template <typename Visit>
  void visit_matches(std::string_view subject, Visit visit) const {
    for (; !subject.empty(); subject.remove_prefix(1)) table_.visit_matches(subject, visit);
  }

 private:
  AffixTable table_{AffixTable::End::front};
};

}  // namespace weir::routing
