#include "routing/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "routing/condition.hpp"

namespace weir::routing {
namespace {

std::string seen_headers(const std::string& name, const http::RequestHead& head) {
  std::string values;
  for (const http::Header& header : head.headers) {
    if (!equals_folded(header.name, name)) continue;
    if (!values.empty()) values += " and ";
    values += header.value;
  }
  return values.empty() ? fmt::format("there is no {} header", name)
                        : fmt::format("{} is {}", name, values);
}

std::string seen_by(const model::Condition& condition, Subject& subject,
                    const RequestFacts& facts) {
  using model::ConditionField;
  switch (condition.field) {
    case ConditionField::path_pattern:
      return fmt::format("the path is {}", subject.path());
    case ConditionField::host_header:
      return subject.host().empty() ? std::string("there is no host")
                                    : fmt::format("the host is {}", subject.host());
    case ConditionField::http_header:
      return seen_headers(condition.http_header_name, facts.head);
    case ConditionField::http_request_method:
      return fmt::format("the method is {}", facts.head.method_text);
    case ConditionField::query_string:
      return facts.head.has_query ? fmt::format("the query is {}", subject.query())
                                  : std::string("there is no query");
    case ConditionField::source_ip:
      return fmt::format("the client is {}", facts.client_ip);
  }
  return {};
}

}  // namespace

std::vector<RuleVerdict> explain(std::span<const model::Rule* const> by_priority,
                                 const RequestFacts& facts) {
  std::vector<RuleVerdict> out;
  Subject subject(facts);
  for (const model::Rule* rule : by_priority) {
    const auto failed = std::ranges::find_if(rule->conditions, [&](const auto& condition) {
      return !holds(compile_condition(condition), subject);
    });
    RuleVerdict& verdict = out.emplace_back();
    verdict.rule = rule;
    if (failed == rule->conditions.end()) return out;
    verdict.failed = &*failed;
    verdict.seen = seen_by(*failed, subject, facts);
  }
  return out;
}

}  // namespace weir::routing
