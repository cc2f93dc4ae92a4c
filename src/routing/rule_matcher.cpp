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
bool can_be_filed(const TextPatterns& patterns, KeyOf key_of) {
  return patterns.regexes.empty() && std::ranges::none_of(patterns.globs, [&](const Glob& glob) {
           const Key key = key_of(glob);
           return key.kind == Kind::affix && key.text.empty();
         });
}
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
  if (!can_be_filed(rule.path, path_key)) {
    candidate.is_path_proven = !rule.path;
    file_without_key(index, candidate);
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

void RuleMatcher::file_without_key(PathIndex& index, const Candidate& candidate) {
  const Rule& rule = rules_[candidate.rule];
  if (rule.path) {
    if (!index.by_infix) index.by_infix = std::make_unique<InfixIndex>();
    if (file_by_infix(*index.by_infix, *rule.path, candidate)) return;
  }
  if (&index == &any_host_) {
    if (rule.host && file_by_infix(by_host_infix_, *rule.host, candidate)) return;
    if (file_by_header(candidate)) return;
  }
  index.unfiled.push_back(candidate);
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

// By the first of its conditions on headers whose values can all be filed.
bool RuleMatcher::file_by_header(const Candidate& candidate) {
  const Rule& rule = rules_[candidate.rule];
  for (const Condition& condition : rule.others) {
    const auto* header = std::get_if<HeaderCondition>(&condition);
    if (header == nullptr || !can_be_filed(header->patterns, path_key)) continue;
    const std::uint32_t name =
        header_names_.insert(matchable(header->name, Case::folded), Kind::whole);
    if (name == by_header_.size()) by_header_.emplace_back();
    HeaderIndex& index = by_header_[name];
    for (const Glob& glob : header->patterns.globs) {
      const Key key = path_key(glob);
      const std::uint32_t number = index.values.insert(key.text, key.kind);
      if (number == index.filed.size()) index.filed.emplace_back();
      Candidate filed = candidate;
      filed.has_others = !key.is_proof || rule.others.size() > 1;
      index.filed[number].push_back(filed);
    }
    return true;
  }
  return false;
}

void RuleMatcher::add(const std::vector<model::Condition>& conditions) {
  sources_.push_back(conditions);
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
  if (index.by_infix) improve(*index.by_infix, subject.folded_path(), subject, best);
  improve(index.unfiled, subject, best);
}

void RuleMatcher::improve(const InfixIndex& index, std::string_view text, Subject& subject,
                          std::uint32_t& best) const {
  if (index.table.empty()) return;
  index.table.visit_matches(
      text, [&](std::uint32_t number) { improve(index.filed[number], subject, best); });
}

void RuleMatcher::improve_by_headers(Subject& subject, std::uint32_t& best) const {
  // Not the scratch of conditions, which are asked while these are looked at.
  thread_local std::string name_scratch, value_scratch;
  for (const http::Header& header : subject.head().headers) {
    const std::string_view name = matchable(header.name, Case::folded, name_scratch);
    header_names_.visit_matches(name, [&](std::uint32_t number) {
      const HeaderIndex& index = by_header_[number];
      const std::string_view value = matchable(header.value, Case::folded, value_scratch);
      index.values.visit_matches(
          value, [&](std::uint32_t key) { improve(index.filed[key], subject, best); });
    });
  }
}

std::optional<std::uint32_t> RuleMatcher::first_match(const RequestFacts& facts) const {
  Subject subject(facts);
  std::uint32_t best = no_rule;
  if (hosts_.size() > 0) {
    hosts_.visit_matches(subject.host(),
                         [&](std::uint32_t number) { improve(by_host_[number], subject, best); });
  }
  improve(any_host_, subject, best);
  if (!by_host_infix_.table.empty()) improve(by_host_infix_, subject.host(), subject, best);
  if (!by_header_.empty()) improve_by_headers(subject, best);
  if (best == no_rule) return std::nullopt;
  return best;
}

}  // namespace weir::routing
