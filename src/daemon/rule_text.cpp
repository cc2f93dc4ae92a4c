#include "daemon/rule_text.hpp"

#include <fmt/core.h>

#include <variant>

namespace weir::daemon {
namespace {

std::string field_name(const model::Condition& condition) {
  switch (condition.field) {
    case model::ConditionField::path_pattern:
      return "path-pattern";
    case model::ConditionField::host_header:
      return "host-header";
    case model::ConditionField::http_header:
      return "http-header " + condition.http_header_name;
    case model::ConditionField::http_request_method:
      return "http-request-method";
    case model::ConditionField::query_string:
      return "query-string";
    case model::ConditionField::source_ip:
      return "source-ip";
  }
  return "condition";
}

std::string values_text(const model::Condition& condition) {
  std::vector<std::string> values = condition.values;
  for (const auto& regex : condition.regex_values) values.push_back("~" + regex);
  for (const auto& pair : condition.query) {
    values.push_back(pair.key ? *pair.key + "=" + pair.value : pair.value);
  }
  std::string text;
  for (const auto& value : values) {
    if (!text.empty()) text += " or ";
    text += value;
  }
  return text;
}

std::string group_name(const control::State& state, const std::string& arn) {
  const auto found = state.target_groups.find(arn);
  return found == state.target_groups.end() ? arn : found->second.name;
}

std::string forward_text(const control::State& state, const model::ForwardAction& forward) {
  int sum = 0;
  for (const auto& group : forward.target_groups) sum += group.weight;
  std::string text = "forward to ";
  bool is_first = true;
  for (const auto& group : forward.target_groups) {
    if (!is_first) text += ", ";
    is_first = false;
    text += group_name(state, group.target_group_arn);
    if (forward.target_groups.size() > 1 && sum > 0) {
      text += fmt::format(" ({} %)", (group.weight * 100 + sum / 2) / sum);
    }
  }
  return text;
}

std::string action_text(const control::State& state, const model::Action& action) {
  if (const auto* forward = std::get_if<model::ForwardAction>(&action.config)) {
    return forward_text(state, *forward);
  }
  if (const auto* redirect = std::get_if<model::RedirectAction>(&action.config)) {
    return fmt::format("redirect {}", redirect->status_code);
  }
  if (const auto* jwt = std::get_if<model::JwtValidationAction>(&action.config)) {
    return fmt::format("validate JWT of {}", jwt->issuer);
  }
  const auto& fixed = std::get<model::FixedResponseAction>(action.config);
  return fmt::format("fixed response {}", fixed.status_code);
}

}  // namespace

std::string conditions_text(const std::vector<model::Condition>& conditions) {
  std::string text;
  for (const auto& condition : conditions) {
    if (!text.empty()) text += " and ";
    text += field_name(condition) + " " + values_text(condition);
  }
  return text;
}

std::string actions_text(const control::State& state, const std::vector<model::Action>& actions) {
  std::string text;
  for (const auto& action : actions) {
    if (!text.empty()) text += ", then ";
    text += action_text(state, action);
  }
  return text;
}

std::string example_path(const std::vector<model::Condition>& conditions) {
  if (conditions.size() != 1) return {};
  const auto& condition = conditions.front();
  if (condition.field != model::ConditionField::path_pattern || condition.values.empty()) return {};
  std::string path;
  for (const char c : condition.values.front()) {
    if (c == '?') return {};
    if (c != '*' && !(c == '/' && !path.empty() && path.back() == '/')) path.push_back(c);
  }
  if (path.empty() || path.front() != '/') path.insert(path.begin(), '/');
  return path;
}

}  // namespace weir::daemon
