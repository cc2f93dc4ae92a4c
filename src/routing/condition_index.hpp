// Rules that neither path nor host tells apart, filed by what else they ask for: the value of a
// header, a pair of the query, the client's address, the method.
//
// A rule is filed by one of its conditions: of those whose alternatives all have a text to be filed
// under, by the one under whose texts the fewest rules lie already, so that a condition that all
// rules share files none. A request looks up its own headers, pairs, address and method; rules
// without such a condition are in a list that each request gets. A list is handed out once, however
// often a hostile request repeats what leads to it.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "routing/affix_table.hpp"
#include "routing/condition.hpp"
#include "routing/filing.hpp"

namespace weir::routing {

class ConditionIndex {
 public:
  // `others` are the conditions that the candidate still has to meet. In order of priority.
  void add(const Candidate& candidate, const std::vector<Condition>& others);

  // The lists, each in order of priority, that hold all filed rules that the request may meet.
  // Valid until this thread asks again.
  using List = std::vector<Candidate>;
  [[nodiscard]] std::span<const List* const> lists_for(Subject& subject) const;

 private:
  struct Table {
    AffixTable keys{AffixTable::End::front};
    std::vector<List> lists;  // by the table's numbers

    [[nodiscard]] std::size_t rules_under(std::string_view text, AffixTable::Kind kind) const;
    void add(std::string_view text, AffixTable::Kind kind, const Candidate& candidate);
    void find(std::string_view subject, std::vector<const List*>& out) const;
  };
  struct Key {
    Table* table;
    std::string text;
    AffixTable::Kind kind;
    bool is_proof;
  };
  using Keys = std::vector<Key>;

  // Empty where the condition cannot be filed.
  [[nodiscard]] Keys keys_of(const HeaderCondition& condition);
  [[nodiscard]] Keys keys_of(const QueryCondition& condition);
  [[nodiscard]] Keys keys_of(const SourceIpCondition& condition);
  [[nodiscard]] Keys keys_of(const MethodCondition& condition);
  template <typename TextCondition>
  [[nodiscard]] Keys keys_of(const TextCondition&) {
    return {};
  }
  void find_by_headers(Subject& subject, std::vector<const List*>& out) const;
  void find_by_query(Subject& subject, std::vector<const List*>& out) const;
  void find_by_client(Subject& subject, std::vector<const List*>& out) const;

  AffixTable header_names_{AffixTable::End::front};
  std::deque<Table> by_header_;  // by the numbers of header_names_; tables stay where they are
  Table by_pair_;                // "key=value"
  Table by_query_value_;         // of any key
  Table by_client_;              // a network's bytes and the length of its prefix
  std::vector<unsigned> prefix_lengths_;
  Table by_method_;
  List unfiled_;
};

}  // namespace weir::routing
