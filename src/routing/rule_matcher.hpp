// The rules of one listener, compiled so that choosing among ten thousand costs about what choosing
// among one does.
//
// Nearly every rule names a host or a path, so rules are filed twice over: by host (whole, or by
// the literal text that ends a pattern such as *.example.com), and below it by path (whole, or by
// the literal text that begins a pattern such as /img/*). A pattern that is tied to neither end,
// such as *-7.jpg and most regular expressions, is filed by a literal that its subjects must
// contain, and a rule without host and path by the value of a header. A request looks up its own
// texts and so meets only rules that are likely to hold; those that cannot be filed wait in a list
// and are tried in order. Of all candidates the first by priority wins: a candidate list is in that
// order and is left as soon as it passes the best found so far. What the index has proven of a rule
// is not asked again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "model/resources.hpp"
#include "routing/affix_table.hpp"
#include "routing/condition.hpp"
#include "routing/required_literals.hpp"

namespace weir::routing {

class RuleMatcher {
 public:
  // Adds the next rule by priority.
  void add(const std::vector<model::Condition>& conditions);

  // What was added, in order: for those who ask whether a matcher can go on serving.
  [[nodiscard]] const std::vector<std::vector<model::Condition>>& sources() const {
    return sources_;
  }

  // Which rule, in order of add(), is the first whose conditions all hold. Any thread.
  [[nodiscard]] std::optional<std::uint32_t> first_match(const RequestFacts& facts) const;

 private:
  struct Rule {
    std::optional<TextPatterns> path, host;
    std::vector<Condition> others;
  };
  // A rule as it is filed, with what its place in the index says about a request found there.
  struct Candidate {
    std::uint32_t rule = 0;
    bool is_path_proven = false;
    bool is_host_proven = false;
    bool has_others = false;
  };
  // The rules under one key; the first lies here, since most keys have no other.
  struct Filed {
    Candidate first;
    std::vector<Candidate> others;
  };
  // Rules by literals that a text must contain.
  struct InfixIndex {
    InfixTable table;
    std::vector<std::vector<Candidate>> filed;  // by the table's numbers
  };
  // Rules by the values of one header.
  struct HeaderIndex {
    AffixTable values{AffixTable::End::front};
    std::vector<std::vector<Candidate>> filed;
  };
  struct PathIndex {
    AffixTable table{AffixTable::End::front};
    std::vector<Filed> filed;  // by the table's numbers
    std::vector<Candidate> unfiled;
    std::unique_ptr<InfixIndex> by_infix;  // most hosts need none
  };

  [[nodiscard]] PathIndex& index_for_host(std::string_view text, AffixTable::Kind kind);
  void file_by_path(PathIndex& index, Candidate candidate);
  void file_without_key(PathIndex& index, const Candidate& candidate);
  [[nodiscard]] bool file_by_infix(InfixIndex& index, const TextPatterns& patterns,
                                   const Candidate& candidate);
  [[nodiscard]] bool file_by_header(const Candidate& candidate);
  [[nodiscard]] bool candidate_holds(const Candidate& candidate, Subject& subject) const;
  // True where the candidates after this one cannot improve `best` any more.
  bool improve(const Candidate& candidate, Subject& subject, std::uint32_t& best) const;
  void improve(const std::vector<Candidate>& candidates, Subject& subject,
               std::uint32_t& best) const;
  void improve(const PathIndex& index, Subject& subject, std::uint32_t& best) const;
  void improve(const InfixIndex& index, std::string_view text, Subject& subject,
               std::uint32_t& best) const;
  void improve_by_headers(Subject& subject, std::uint32_t& best) const;

  std::vector<std::vector<model::Condition>> sources_;
  std::vector<Rule> rules_;
  AffixTable hosts_{AffixTable::End::back};
  std::vector<PathIndex> by_host_;  // by the numbers of hosts_
  PathIndex any_host_;
  // Of rules that have no other key.
  InfixIndex by_host_infix_;
  AffixTable header_names_{AffixTable::End::front};
  std::vector<HeaderIndex> by_header_;  // by the numbers of header_names_
};

}  // namespace weir::routing
