#include "routing/rule_list.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace weir::routing {
namespace {

constexpr std::uint32_t gone = RuleMatcher::gone;

// So many rules may be added and gone before all are filed anew.
std::size_t differences_max(std::size_t rules) {
  return static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(rules)));
}

}  // namespace

RuleList::RuleList(std::vector<RulePtr> rules, const RuleList* previous)
    : rules_(std::move(rules)) {
  note_groups();
  if (previous == nullptr || !go_on_from(*previous)) file_anew();
}

void RuleList::note_groups() {
  for (const RulePtr& rule : rules_) {
    const auto* forward = std::get_if<Forward>(&rule->action);
    if (forward == nullptr) continue;
    for (const Forward::Weighted& weighted : forward->groups) {
      if (groups_.empty() || groups_.back() != weighted.target_group)
        groups_.push_back(weighted.target_group);
    }
  }
  std::ranges::sort(groups_);
  const auto repeated = std::ranges::unique(groups_);
  groups_.erase(repeated.begin(), repeated.end());
}

void RuleList::file_anew() {
  auto base = std::make_shared<Base>();
  base->rules = rules_;
  for (const RulePtr& rule : rules_) base->matcher.add(*rule->conditions);
  base_ = std::move(base);
  base_at_.clear();
  added_ = RuleMatcher();
  added_at_.clear();
  is_base_alone_ = true;
}

// Both lists are in order of priority, and a rule goes on only where its priority is the same, so
// one walk over both tells what has gone and what is new.
bool RuleList::go_on_from(const RuleList& previous) {
  base_ = previous.base_;
  const std::vector<RulePtr>& base = base_->rules;
  base_at_.assign(base.size(), gone);
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = *rules_[i];
    while (at < base.size() && base[at]->priority < rule.priority) ++at;
    const bool goes_on = at < base.size() && base[at]->priority == rule.priority &&
                         base[at]->conditions == rule.conditions;
    if (goes_on) {
      base_at_[at++] = i;
    } else {
      added_at_.push_back(i);
      if (added_at_.size() > differences_max(rules_.size())) return false;
    }
  }
  const std::size_t left = base.size() - filed_before();
  if (left + added_at_.size() > differences_max(rules_.size())) return false;
  is_base_alone_ = left + added_at_.size() == 0;
  for (const std::uint32_t i : added_at_) added_.add(*rules_[i]->conditions);
  return true;
}

std::optional<std::uint32_t> RuleList::first_match(const RequestFacts& facts) const {
  if (is_base_alone_) return base_->matcher.first_match(facts);
  auto best = base_->matcher.first_match(facts, base_at_);
  if (best) best = base_at_[*best];
  if (const auto added = added_.first_match(facts); added && (!best || added_at_[*added] < *best))
    best = added_at_[*added];
  return best;
}

}  // namespace weir::routing
