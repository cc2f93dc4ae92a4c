// The rules of one listener in a snapshot, made from those of the snapshot before.
//
// Ten thousand rules take ten milliseconds to file (expressions a second), so a change of few is
// not a new matcher: the one before goes on, told which of its rules are gone, and a small matcher
// beside it holds what was added. Both are asked, the first by priority wins. Once the small one
// has some two hundred rules (2 √n), all are filed anew, so that a list that grows rule by rule
// costs each call the same.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "routing/rule_matcher.hpp"
#include "routing/snapshot.hpp"

namespace weir::routing {

class RuleList {
 public:
  // By priority. `previous` may be null. What did not change is told by its conditions' address.
  RuleList(std::vector<RulePtr> rules, const RuleList* previous);

  [[nodiscard]] const std::vector<RulePtr>& rules() const { return rules_; }
  // The groups that some rule forwards to, ascending.
  [[nodiscard]] const std::vector<std::uint32_t>& groups() const { return groups_; }
  // Position of the first rule whose conditions all hold. Any thread; no allocation.
  [[nodiscard]] std::optional<std::uint32_t> first_match(const RequestFacts& facts) const;
  // Of them, those that were filed with others before: for tests and measurements.
  [[nodiscard]] std::size_t filed_before() const { return rules_.size() - added_at_.size(); }

 private:
  struct Base {
    std::vector<RulePtr> rules;
    RuleMatcher matcher;
  };

  [[nodiscard]] bool go_on_from(const RuleList& previous);
  void file_anew();
  void note_groups();

  std::vector<RulePtr> rules_;
  std::vector<std::uint32_t> groups_;
  std::shared_ptr<const Base> base_;
  std::vector<std::uint32_t> base_at_;  // by the base's positions: where it is now, or gone
  bool is_base_alone_ = true;           // base_ holds these rules and no others
  RuleMatcher added_;
  std::vector<std::uint32_t> added_at_;  // by added_'s positions
};

}  // namespace weir::routing
