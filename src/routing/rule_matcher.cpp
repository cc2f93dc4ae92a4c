#include "routing/rule_matcher.hpp"

#include <algorithm>
#include <utility>

namespace weir::routing {
namespace {

using Kind = AffixTable::Kind;

constexpr std::uint32_t no_rule = ~std::uint32_t{0};

template <typename KeyOf>
bool can_be_filed(const std::optional<TextPatterns>& patterns, KeyOf key_of) {
  return patterns && can_be_filed(*patterns, key_of);
}

// "*" among the alternatives: the condition may as well not be there.
bool matches_everything(const TextPatterns& patterns) {
  return std::ranges::any_of(patterns.globs, [](const Glob& glob) {
    return glob.is_prefix_only() && glob.literal_prefix().empty();
  });
}

// The first condition on a path (on a host) is the one that the rule is filed by.
template <typename Of>
bool took_first(std::optional<TextPatterns>& slot, Condition& condition) {
  Of* one = std::get_if<Of>(&condition);
  if (slot || one == nullptr) return false;
  if (!matches_everything(one->patterns)) slot = std::move(one->patterns);
  return true;
}

}  // namespace

RuleMatcher::PathIndex& RuleMatcher::index_for_host(std::string_view text, Kind kind) {
  const std::uint32_t number = hosts_.insert(text, kind);
  if (number == by_host_.size()) by_host_.emplace_back();
  return by_host_[number];
}

void RuleMatcher::file_by_path(PathIndex& index, Candidate candidate) {
  const Rule& rule = rules_[candidate.rule];
  if (!can_be_filed(rule.path, front_key)) {
    candidate.is_path_proven = !rule.path;
    file_without_key(index, candidate);
    return;
  }
  for (const Glob& glob : rule.path->globs) {
    const FilingKey key = front_key(glob);
    const std::uint32_t number = index.table.insert(key.text, key.kind);
    candidate.is_path_proven = key.is_proof;
    if (number == index.filed.size()) {
      index.filed.push_back({candidate, {}, {}});
    } else {
      file_under(index.filed[number], candidate);
    }
  }
}

void RuleMatcher::file_under(Filed& filed, const Candidate& candidate) {
  if (filed.others.size() < Filed::others_max) {
    filed.others.push_back(candidate);
    return;
  }
  if (!filed.rest) filed.rest = std::make_unique<ConditionIndex>();
  filed.rest->add(candidate, rules_[candidate.rule].others);
}

void RuleMatcher::file_without_key(PathIndex& index, const Candidate& candidate) {
  const Rule& rule = rules_[candidate.rule];
  if (rule.path) {
    if (!index.by_infix) index.by_infix = std::make_unique<InfixIndex>();
    if (file_by_infix(*index.by_infix, *rule.path, candidate)) return;
  }
  if (&index == &any_host_ && rule.host && file_by_infix(by_host_infix_, *rule.host, candidate))
    return;
  if (!index.without_path) index.without_path = std::make_unique<ConditionIndex>();
  index.without_path->add(candidate, rule.others);
}

bool RuleMatcher::file_by_infix(InfixIndex& index, const TextPatterns& patterns,
                                const Candidate& candidate) {
  const std::vector<std::string> literals = required_literals(patterns);
  for (const std::string& literal : literals) {
    const std::uint32_t number = index.table.insert(literal);
    if (number == index.filed.size()) index.filed.emplace_back();
    index.filed[number].push_back(candidate);
  }
  return !literals.empty();
}

void RuleMatcher::add(const std::vector<model::Condition>& conditions) {
  Rule& rule = rules_.emplace_back();
  for (const model::Condition& source : conditions) {
    Condition condition = compile_condition(source);
    const bool is_filed_by = took_first<PathCondition>(rule.path, condition) ||
                             took_first<HostCondition>(rule.host, condition);
    if (!is_filed_by) rule.others.push_back(std::move(condition));
  }
  Candidate candidate;
  candidate.rule = static_cast<std::uint32_t>(rules_.size() - 1);
  candidate.has_others = !rule.others.empty();
  if (!can_be_filed(rule.host, back_key)) {
    candidate.is_host_proven = !rule.host;
    file_by_path(any_host_, candidate);
    return;
  }
  for (const Glob& glob : rule.host->globs) {
    const FilingKey key = back_key(glob);
    candidate.is_host_proven = key.is_proof;
    file_by_path(index_for_host(key.text, key.kind), candidate);
  }
}

bool RuleMatcher::candidate_holds(const Candidate& candidate, Subject& subject) const {
  const bool is_proven =
      candidate.is_path_proven && candidate.is_host_proven && !candidate.has_others;
  if (is_proven) return true;
  const Rule& rule = rules_[candidate.rule];
  return (candidate.is_path_proven || rule.path->any_matches(subject.path())) &&
         (candidate.is_host_proven || rule.host->any_matches(subject.host())) &&
         std::ranges::all_of(rule.others,
                             [&](const Condition& condition) { return holds(condition, subject); });
}

bool RuleMatcher::improve(const Candidate& candidate, Search& search) const {
  if (candidate.rule >= search.best) return true;
  if (!search.now_at.empty() && search.now_at[candidate.rule] == gone) return false;
  if (!candidate_holds(candidate, search.subject)) return false;
  search.best = candidate.rule;
  return true;
}

void RuleMatcher::improve(const std::vector<Candidate>& candidates, Search& search) const {
  for (const Candidate& candidate : candidates) {
    if (improve(candidate, search)) return;
  }
}

void RuleMatcher::improve(const PathIndex& index, Search& search) const {
  index.table.visit_matches(search.subject.path(), [&](std::uint32_t number) {
    const Filed& filed = index.filed[number];
    if (improve(filed.first, search)) return;
    improve(filed.others, search);
    if (filed.rest) improve(*filed.rest, search);
  });
  if (index.by_infix) improve(*index.by_infix, search.subject.folded_path(), search);
  if (index.without_path) improve(*index.without_path, search);
}

void RuleMatcher::improve(const InfixIndex& index, std::string_view text, Search& search) const {
  if (index.table.empty()) return;
  // Each once, however often a hostile text repeats a literal.
  thread_local std::vector<std::uint32_t> found;
  found.clear();
  index.table.visit_matches(text, [&](std::uint32_t number) { found.push_back(number); });
  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  for (const std::uint32_t number : found) improve(index.filed[number], search);
}

void RuleMatcher::improve(const ConditionIndex& index, Search& search) const {
  for (const ConditionIndex::List* list : index.lists_for(search.subject)) improve(*list, search);
}

std::optional<std::uint32_t> RuleMatcher::first_match(const RequestFacts& facts,
                                                      std::span<const std::uint32_t> now_at) const {
  Subject subject(facts);
  Search search{subject, now_at, no_rule};
  if (hosts_.size() > 0) {
    hosts_.visit_matches(search.subject.host(),
                         [&](std::uint32_t number) { improve(by_host_[number], search); });
  }
  improve(any_host_, search);
  if (!by_host_infix_.table.empty()) improve(by_host_infix_, search.subject.host(), search);
  if (search.best == no_rule) return std::nullopt;
  return search.best;
}

}  // namespace weir::routing
