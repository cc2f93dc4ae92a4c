#include "routing/rule_matcher.hpp"

#include <algorithm>
#include <utility>

namespace weir::routing {
namespace {

using Kind = AffixTable::Kind;

constexpr std::uint32_t no_rule = ~std::uint32_t{0};

// Under which text a pattern is filed, and whether a subject found there is sure to match it.
struct Key {
  std::string_view text;
  Kind kind = Kind::affix;
  bool is_proof = false;
};

Key path_key(const Glob& glob) {
  const std::string_view prefix = glob.literal_prefix();
  if (glob.is_exact()) return {prefix, Kind::whole, true};
  const std::string_view cut = prefix.substr(0, AffixTable::affix_bytes_max);
  return {cut, Kind::affix, glob.is_prefix_only() && cut.size() == prefix.size()};
}

Key host_key(const Glob& glob) {
  const std::string_view suffix = glob.literal_suffix();
  if (glob.is_exact()) return {suffix, Kind::whole, true};
  const std::size_t bytes = std::min(suffix.size(), AffixTable::affix_bytes_max);
  return {suffix.substr(suffix.size() - bytes), Kind::affix,
          glob.is_suffix_only() && bytes == suffix.size()};
}

// Every alternative of the patterns must have a text to be filed under.
template <typename KeyOf>
bool can_be_filed(const std::optional<TextPatterns>& patterns, KeyOf key_of) {
  return patterns && patterns->regexes.empty() &&
         std::ranges::none_of(patterns->globs,
                              [&](const Glob& glob) { return key_of(glob).text.empty(); });
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
  if (!can_be_filed(rule.path, path_key)) {
    candidate.is_path_proven = !rule.path;
    index.unfiled.push_back(candidate);
    return;
  }
  for (const Glob& glob : rule.path->globs) {
    const Key key = path_key(glob);
    const std::uint32_t number = index.table.insert(key.text, key.kind);
    candidate.is_path_proven = key.is_proof;
    if (number == index.filed.size()) {
      index.filed.push_back({candidate, {}});
    } else {
      index.filed[number].others.push_back(candidate);
    }
  }
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
  if (!can_be_filed(rule.host, host_key)) {
    candidate.is_host_proven = !rule.host;
    file_by_path(any_host_, candidate);
    return;
  }
  for (const Glob& glob : rule.host->globs) {
    const Key key = host_key(glob);
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

bool RuleMatcher::improve(const Candidate& candidate, Subject& subject, std::uint32_t& best) const {
  if (candidate.rule >= best) return true;
  if (!candidate_holds(candidate, subject)) return false;
  best = candidate.rule;
  return true;
}

void RuleMatcher::improve(const std::vector<Candidate>& candidates, Subject& subject,
                          std::uint32_t& best) const {
  for (const Candidate& candidate : candidates) {
    if (improve(candidate, subject, best)) return;
  }
}

void RuleMatcher::improve(const PathIndex& index, Subject& subject, std::uint32_t& best) const {
  index.table.visit_matches(subject.path(), [&](std::uint32_t number) {
    const Filed& filed = index.filed[number];
    if (!improve(filed.first, subject, best)) improve(filed.others, subject, best);
  });
  improve(index.unfiled, subject, best);
}

std::optional<std::uint32_t> RuleMatcher::first_match(const RequestFacts& facts) const {
  Subject subject(facts);
  std::uint32_t best = no_rule;
  if (hosts_.size() > 0) {
    hosts_.visit_matches(subject.host(),
                         [&](std::uint32_t number) { improve(by_host_[number], subject, best); });
  }
  improve(any_host_, subject, best);
  if (best == no_rule) return std::nullopt;
  return best;
}

}  // namespace weir::routing
