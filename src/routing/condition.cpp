#include "routing/condition.hpp"

#include <re2/re2.h>

#include <algorithm>

#include "base/log.hpp"
#include "routing/regex.hpp"

namespace weir::routing {
namespace {

// Cleaned copies of the request under way on this thread.
struct Scratch {
  std::string path, folded_path, host, query, header;
};
thread_local Scratch scratch;

std::unique_ptr<re2::RE2> compiled_or_null(const std::string& text, Case letter_case) {
  auto compiled = compile_regex(text, letter_case);
  if (compiled) return std::move(*compiled);
  log::warn("a condition of a rule matches nothing: {}", compiled.error().message);
  return nullptr;
}

QueryCondition compile_query(const model::Condition& condition) {
  QueryCondition out;
  for (const model::QueryStringPair& pair : condition.query) {
    std::optional<Glob> key;
    if (pair.key) key.emplace(*pair.key, Case::folded, Escapes::backslash);
    out.pairs.push_back({std::move(key), Glob(pair.value, Case::folded, Escapes::backslash)});
  }
  return out;
}

SourceIpCondition compile_source_ip(const model::Condition& condition) {
  SourceIpCondition out;
  for (const std::string& value : condition.values) {
    if (const auto range = IpRange::parse(value)) out.ranges.push_back(*range);
  }
  return out;
}

bool condition_holds(const PathCondition& condition, Subject& subject) {
  return condition.patterns.any_matches(subject.path());
}

bool condition_holds(const HostCondition& condition, Subject& subject) {
  return condition.patterns.any_matches(subject.host());
}

// A repeated header is searched line by line.
bool condition_holds(const HeaderCondition& condition, Subject& subject) {
  return std::ranges::any_of(subject.head().headers, [&](const http::Header& header) {
    if (header.id != condition.id) return false;
    if (header.id == http::HeaderId::other && !equals_folded(header.name, condition.name))
      return false;
    return condition.patterns.any_matches(matchable(header.value, Case::folded, scratch.header));
  });
}

bool condition_holds(const MethodCondition& condition, Subject& subject) {
  return std::ranges::find(condition.methods, subject.head().method_text) !=
         condition.methods.end();
}

bool pair_matches(const QueryCondition& condition, std::string_view key, std::string_view value) {
  return std::ranges::any_of(condition.pairs, [&](const QueryCondition::Pair& pair) {
    return (!pair.key || pair.key->matches(key)) && pair.value.matches(value);
  });
}

bool condition_holds(const QueryCondition& condition, Subject& subject) {
  return subject.head().has_query &&
         any_pair_of(subject.query(),
                     [&](std::string_view, std::string_view key, std::string_view value) {
                       return pair_matches(condition, key, value);
                     });
}

bool condition_holds(const SourceIpCondition& condition, Subject& subject) {
  const auto& client = subject.client();
  return client && std::ranges::any_of(condition.ranges, [&](const IpRange& range) {
           return range.contains(*client);
         });
}

}  // namespace

Subject::Subject(const RequestFacts& facts)
    : facts_(facts), path_(matchable(facts.head.path, Case::exact, scratch.path)) {}

std::string_view Subject::folded_path() {
  if (!folded_path_) folded_path_ = matchable(path_, Case::folded, scratch.folded_path);
  return *folded_path_;
}

std::string_view Subject::host() {
  if (!host_) host_ = matchable(without_port(facts_.head.authority), Case::folded, scratch.host);
  return *host_;
}

std::string_view Subject::query() {
  if (!query_) query_ = matchable(facts_.head.query, Case::folded, scratch.query);
  return *query_;
}

const std::optional<IpAddress>& Subject::client() {
  if (!client_) client_ = IpAddress::parse(facts_.client_ip);
  return *client_;
}

TextPatterns::TextPatterns(const std::vector<std::string>& values,
                           const std::vector<std::string>& regex_values, Case letter_case) {
  for (const std::string& value : values) globs.emplace_back(value, letter_case);
  for (const std::string& value : regex_values) {
    if (auto regex = compiled_or_null(value, letter_case)) regexes.push_back(std::move(regex));
  }
}

TextPatterns::TextPatterns(TextPatterns&&) noexcept = default;
TextPatterns& TextPatterns::operator=(TextPatterns&&) noexcept = default;
TextPatterns::~TextPatterns() = default;

bool TextPatterns::any_matches(std::string_view subject) const {
  return std::ranges::any_of(globs, [&](const Glob& glob) { return glob.matches(subject); }) ||
         std::ranges::any_of(regexes,
                             [&](const auto& regex) { return regex_matches(*regex, subject); });
}

Condition compile_condition(const model::Condition& condition) {
  using model::ConditionField;
  switch (condition.field) {
    case ConditionField::path_pattern:
      return PathCondition{{condition.values, condition.regex_values, Case::exact}};
    case ConditionField::host_header:
      return HostCondition{{condition.values, condition.regex_values, Case::folded}};
    case ConditionField::http_header:
      return HeaderCondition{condition.http_header_name,
                             http::header_id(condition.http_header_name),
                             {condition.values, condition.regex_values, Case::folded}};
    case ConditionField::http_request_method:
      return MethodCondition{condition.values};
    case ConditionField::query_string:
      return compile_query(condition);
    case ConditionField::source_ip:
      return compile_source_ip(condition);
  }
  return MethodCondition{};  // a field that does not exist holds for nothing
}

bool holds(const Condition& condition, Subject& subject) {
  return std::visit([&](const auto& one) { return condition_holds(one, subject); }, condition);
}

}  // namespace weir::routing
