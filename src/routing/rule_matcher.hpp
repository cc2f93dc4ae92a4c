// The rules of one listener, compiled so that choosing among ten thousand costs about what choosing
// among one does.
//
// Nearly every rule names a host or a path, so rules are filed twice over: by host (whole, or by
// the literal text that ends a pattern such as *.example.com), and below it by path (whole, or by
// the literal text that begins a pattern such as /img/*). A pattern that is tied to neither end,
// such as *-7.jpg and most regular expressions, is filed by a literal that its subjects must
// contain. Rules that neither host nor path tells apart, because they name none or all the same,
// are filed by what else they ask for (condition_index.hpp). A request looks up its own texts and
// so meets only rules that are likely to hold; those that cannot be filed wait in a list and are
// tried in order. Of all candidates the first by priority wins: a candidate list is in that order
// and is left as soon as it passes the best found so far. What the index has proven of a rule is
// not asked again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/resources.hpp"
#include "routing/affix_table.hpp"
#include "routing/condition.hpp"
#include "routing/condition_index.hpp"
#include "routing/filing.hpp"
#include "routing/required_literals.hpp"

namespace weir::routing {

class RuleMatcher {
 public:
  // Adds the next rule by priority.
  void add(const std::vector<model::Condition>& conditions);

  // Which rule, in order of add(), is the first whose conditions all hold. Any thread. Where
  // `now_at` is not empty it has a number for each rule, and those with `gone` are left out.
  static constexpr std::uint32_t gone = ~std::uint32_t{0};
  [[nodiscard]] std::optional<std::uint32_t> first_match(
      const RequestFacts& facts, std::span<const std::uint32_t> now_at = {}) const;

 private:
  // A request's way through the index.
  struct Search {
    Subject& subject;
    std::span<const std::uint32_t> now_at;
    std::uint32_t best;
  };
  struct Rule {
    std::optional<TextPatterns> path, host;
    std::vector<Condition> others;
  };
  // The rules under one key, in order; the first lies here, since most keys have no other, and
  // those beyond a few are filed again.
  struct Filed {
    static constexpr std::size_t others_max = 2;
    Candidate first;
    std::vector<Candidate> others;
    std::unique_ptr<ConditionIndex> rest;
  };
  // Rules by literals that a text must contain.
  struct InfixIndex {
    InfixTable table;
    std::vector<std::vector<Candidate>> filed;  // by the table's numbers
  };
  struct PathIndex {
    AffixTable table{AffixTable::End::front};
    std::vector<Filed> filed;  // by the table's numbers
    std::unique_ptr<ConditionIndex> without_path;
    std::unique_ptr<InfixIndex> by_infix;  // most hosts need neither
  };

  [[nodiscard]] PathIndex& index_for_host(std::string_view text, AffixTable::Kind kind);
  void file_by_path(PathIndex& index, Candidate candidate);
  void file_without_key(PathIndex& index, const Candidate& candidate);
  [[nodiscard]] bool file_by_infix(InfixIndex& index, const TextPatterns& patterns,
                                   const Candidate& candidate);
  void file_under(Filed& filed, const Candidate& candidate);
  [[nodiscard]] bool candidate_holds(const Candidate& candidate, Subject& subject) const;
  // True where the candidates after this one cannot improve the best any more.
  bool improve(const Candidate& candidate, Search& search) const;
  void improve(const std::vector<Candidate>& candidates, Search& search) const;
  void improve(const PathIndex& index, Search& search) const;
  void improve(const InfixIndex& index, std::string_view text, Search& search) const;
  void improve(const ConditionIndex& index, Search& search) const;

  std::vector<Rule> rules_;
  AffixTable hosts_{AffixTable::End::back};
  std::vector<PathIndex> by_host_;  // by the numbers of hosts_
  PathIndex any_host_;
  InfixIndex by_host_infix_;  // of rules whose paths cannot be filed
};

}  // namespace weir::routing
