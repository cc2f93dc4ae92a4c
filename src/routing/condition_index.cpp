#include "routing/condition_index.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <variant>

namespace weir::routing {
namespace {

using Kind = AffixTable::Kind;

std::string network_key(const IpAddress& address, unsigned prefix_bits) {
  const IpAddress network = address.network(prefix_bits);
  std::string out(network.bytes.begin(), network.bytes.end());
  out += static_cast<char>(prefix_bits);
  return out;
}

}  // namespace

// ---------------------------------------------------------------- tables
std::size_t ConditionIndex::Table::rules_under(std::string_view text, Kind kind) const {
  const auto number = keys.number_of(text, kind);
  return number ? lists[*number].size() : 0;
}

void ConditionIndex::Table::add(std::string_view text, Kind kind, const Candidate& candidate) {
  const std::uint32_t number = keys.insert(text, kind);
  if (number == lists.size()) lists.emplace_back();
  lists[number].push_back(candidate);
}

void ConditionIndex::Table::find(std::string_view subject, std::vector<const List*>& out) const {
  keys.visit_matches(subject, [&](std::uint32_t number) { out.push_back(&lists[number]); });
}

// ---------------------------------------------------------------- filing
void ConditionIndex::add(const Candidate& candidate, const std::vector<Condition>& others) {
  Keys best;
  std::size_t fewest = 0;
  for (const Condition& condition : others) {
    Keys keys = std::visit([this](const auto& one) { return keys_of(one); }, condition);
    std::size_t rules = 0;
    for (const Key& key : keys) rules = std::max(rules, key.table->rules_under(key.text, key.kind));
    if (keys.empty() || (!best.empty() && rules >= fewest)) continue;
    fewest = rules;
    best = std::move(keys);
  }
  for (const Key& key : best) {
    Candidate filed = candidate;
    filed.has_others = !key.is_proof || others.size() > 1;
    key.table->add(key.text, key.kind, filed);
  }
  if (best.empty()) unfiled_.push_back(candidate);
}

ConditionIndex::Keys ConditionIndex::keys_of(const HeaderCondition& condition) {
  if (!can_be_filed(condition.patterns, front_key)) return {};
  const std::uint32_t name =
      header_names_.insert(matchable(condition.name, Case::folded), Kind::whole);
  if (name == by_header_.size()) by_header_.emplace_back();
  Keys out;
  for (const Glob& glob : condition.patterns.globs) {
    const FilingKey key = front_key(glob);
    out.push_back({&by_header_[name], std::string(key.text), key.kind, key.is_proof});
  }
  return out;
}

// Of a pair both halves, where its key is known; else the value alone. What is found is asked
// again: a pair is found by its whole text, and a key may contain wildcards.
ConditionIndex::Keys ConditionIndex::keys_of(const QueryCondition& condition) {
  Keys out;
  for (const QueryCondition::Pair& pair : condition.pairs) {
    const FilingKey value = front_key(pair.value);
    if (pair.key && pair.key->is_exact()) {
      std::string text = std::string(pair.key->literal_prefix()) + '=' + std::string(value.text);
      if (value.kind == Kind::affix && text.size() > AffixTable::affix_bytes_max)
        text.resize(AffixTable::affix_bytes_max);
      out.push_back({&by_pair_, std::move(text), value.kind, false});
    } else if (value.can_file()) {
      out.push_back({&by_query_value_, std::string(value.text), value.kind, false});
    } else {
      return {};
    }
  }
  return out;
}

ConditionIndex::Keys ConditionIndex::keys_of(const SourceIpCondition& condition) {
  Keys out;
  for (const IpRange& range : condition.ranges) {
    if (std::ranges::find(prefix_lengths_, range.prefix_bits()) == prefix_lengths_.end())
      prefix_lengths_.push_back(range.prefix_bits());
    out.push_back(
        {&by_client_, network_key(range.address(), range.prefix_bits()), Kind::whole, true});
  }
  return out;
}

ConditionIndex::Keys ConditionIndex::keys_of(const MethodCondition& condition) {
  Keys out;
  for (const std::string& method : condition.methods)
    out.push_back({&by_method_, method, Kind::whole, true});
  return out;
}

// ---------------------------------------------------------------- looking up
std::span<const ConditionIndex::List* const> ConditionIndex::lists_for(Subject& subject) const {
  thread_local std::vector<const List*> found;
  found.clear();
  if (!unfiled_.empty()) found.push_back(&unfiled_);
  if (!by_header_.empty()) find_by_headers(subject, found);
  if (subject.head().has_query && by_pair_.keys.size() + by_query_value_.keys.size() > 0)
    find_by_query(subject, found);
  if (by_client_.keys.size() > 0) find_by_client(subject, found);
  by_method_.find(subject.head().method_text, found);
  if (found.size() > 1) {
    std::ranges::sort(found);
    const auto repeated = std::ranges::unique(found);
    found.erase(repeated.begin(), repeated.end());
  }
  return found;
}

void ConditionIndex::find_by_headers(Subject& subject, std::vector<const List*>& out) const {
  thread_local std::string name_scratch, value_scratch;
  for (const http::Header& header : subject.head().headers) {
    const std::string_view name = matchable(header.name, Case::folded, name_scratch);
    header_names_.visit_matches(name, [&](std::uint32_t number) {
      by_header_[number].find(matchable(header.value, Case::folded, value_scratch), out);
    });
  }
}

void ConditionIndex::find_by_query(Subject& subject, std::vector<const List*>& out) const {
  thread_local std::string scratch;
  any_pair_of(subject.query(),
              [&](std::string_view pair, std::string_view, std::string_view value) {
                by_query_value_.find(value, out);
                if (by_pair_.keys.size() == 0) return false;
                if (pair.find('=') == std::string_view::npos) {  // as if it ended with one
                  scratch.assign(pair);
                  scratch += '=';
                  pair = scratch;
                }
                by_pair_.find(pair, out);
                return false;  // on to the next
              });
}

void ConditionIndex::find_by_client(Subject& subject, std::vector<const List*>& out) const {
  const auto& client = subject.client();
  if (!client) return;
  for (const unsigned bits : prefix_lengths_) {
    std::array<char, std::tuple_size_v<decltype(IpAddress::bytes)> + 1> key;
    const IpAddress network = client->network(bits);
    std::ranges::copy(network.bytes, key.begin());
    key.back() = static_cast<char>(bits);
    by_client_.find({key.data(), key.size()}, out);
  }
}

}  // namespace weir::routing
