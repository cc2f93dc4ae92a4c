// Conditions of rules: reference §3.1, §3.2.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/cidr.hpp"
#include "model/limits.hpp"
#include "model/names.hpp"
#include "model/validate.hpp"

namespace weir::model {
namespace {

constexpr std::string_view letters_and_digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool has_only(std::string_view text, std::string_view more) {
  return std::ranges::all_of(text, [&](char c) {
    return letters_and_digits.find(c) != std::string_view::npos ||
           more.find(c) != std::string_view::npos;
  });
}

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7E; });
}

std::unexpected<Error> refuse(std::string message) {
  return fail("ValidationError", std::move(message));
}

// `*` and `?`; in query strings a backslash makes them literal.
std::size_t wildcards_of(std::string_view pattern, bool has_escapes) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (has_escapes && pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '*' || pattern[i] == '?') {
      ++count;
    }
  }
  return count;
}

Status validate_length(std::string_view what, std::string_view value, std::size_t chars_max) {
  if (value.size() > chars_max) {
    return refuse(fmt::format("The '{}' value is too long; the limit is '{}'", what, chars_max));
  }
  return {};
}

Status validate_host(const std::string& value) {
  if (!has_only(value, "-.*?")) {
    return refuse(fmt::format(
        "The 'host-header' value '{}' is invalid; the allowed characters are a-z, A-Z, 0-9, -, ., "
        "* and ?",
        value));
  }
  const std::size_t dot = value.rfind('.');
  if (dot == std::string::npos) {
    return refuse(fmt::format("The 'host-header' value '{}' must contain a '.'", value));
  }
  const std::string_view last = std::string_view(value).substr(dot + 1);
  const bool has_letters_only = std::ranges::all_of(
      last, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  if (!has_letters_only) {
    return refuse(fmt::format(
        "The 'host-header' value '{}' is invalid; after the last '.' only letters are allowed",
        value));
  }
  return {};
}

Status validate_path(const std::string& value) {
  if (!has_only(value, "_-.$/~\"'@:+&*?")) {
    return refuse(fmt::format(
        "The 'path-pattern' value '{}' is invalid; the allowed characters are a-z, A-Z, 0-9 and "
        "_-.$/~\"'@:+&*?",
        value));
  }
  return {};
}

Status validate_method(const std::string& value) {
  const bool is_method = std::ranges::all_of(
      value, [](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; });
  if (!is_method) {
    return refuse(
        "The 'http-request-method' value is invalid; the allowed characters are A-Z, hyphen and "
        "underscore");
  }
  return validate_length("http-request-method", value, limits::method_chars_max);
}

Status validate_source_ip(const std::string& value) {
  if (value == "255.255.255.255/32") {
    return refuse("The 'source-ip' value '255.255.255.255/32' is not allowed");
  }
  if (!Cidr::parse(value) && !canonical_cidr_v6(value)) {
    return refuse(fmt::format("The 'source-ip' value '{}' must be in CIDR format", value));
  }
  return {};
}

Status validate_header_name(const std::string& name) {
  if (name.empty()) return refuse("A 'HttpHeaderName' must be specified in 'HttpHeaderConfig'");
  if (auto valid = validate_length("HttpHeaderName", name, limits::header_name_chars_max); !valid) {
    return valid;
  }
  if (!has_only(name, "!#$%&'*+-.^_`|~") || name.find('*') != std::string::npos) {
    return refuse(fmt::format("The 'HttpHeaderName' value '{}' is not a header name", name));
  }
  if (std::ranges::equal(name, std::string_view("host"),
                         [](char a, char b) { return (a | 0x20) == b; })) {
    return refuse("The 'HttpHeaderName' cannot be 'Host'; use a 'host-header' condition");
  }
  return {};
}

Status validate_query(const std::vector<QueryStringPair>& pairs) {
  for (const QueryStringPair& pair : pairs) {
    if (pair.value.empty()) {
      return refuse("A 'Value' must be specified in 'QueryStringKeyValuePair'");
    }
    const std::string key = pair.key.value_or("");
    if (auto valid = validate_length("Key", key, limits::condition_value_chars_max); !valid) {
      return valid;
    }
    if (auto valid = validate_length("Value", pair.value, limits::condition_value_chars_max);
        !valid) {
      return valid;
    }
    if (!is_visible_ascii(key) || !is_visible_ascii(pair.value)) {
      return refuse("A 'query-string' key or value may only contain visible ASCII characters");
    }
  }
  return {};
}

Status validate_value(ConditionField field, const std::string& value) {
  if (value.empty()) return refuse("A condition value must be specified");
  if (auto valid = validate_length(name_of(field), value, limits::condition_value_chars_max);
      !valid) {
    return valid;
  }
  switch (field) {
    case ConditionField::host_header:
      return validate_host(value);
    case ConditionField::path_pattern:
      return validate_path(value);
    case ConditionField::http_request_method:
      return validate_method(value);
    case ConditionField::source_ip:
      return validate_source_ip(value);
    case ConditionField::http_header:
      if (!is_visible_ascii(value)) {
        return refuse("The 'http-header' value may only contain visible ASCII characters");
      }
      return {};
    case ConditionField::query_string:
      break;
  }
  return refuse("The 'Values' field is not compatible with 'query-string'");
}

bool takes_regex(ConditionField field) {
  return field == ConditionField::host_header || field == ConditionField::path_pattern ||
         field == ConditionField::http_header;
}

bool may_repeat(ConditionField field) {
  return field == ConditionField::http_header || field == ConditionField::query_string;
}

std::size_t values_of(const Condition& condition) {
  return condition.values.size() + condition.regex_values.size() + condition.query.size();
}

std::size_t wildcards_of(const Condition& condition) {
  std::size_t count = 0;
  if (condition.field != ConditionField::source_ip) {
    for (const std::string& value : condition.values) count += wildcards_of(value, false);
  }
  for (const QueryStringPair& pair : condition.query) {
    count += wildcards_of(pair.key.value_or(""), true) + wildcards_of(pair.value, true);
  }
  return count;
}

Status validate_parts(const Condition& condition) {
  const std::string_view field = name_of(condition.field);
  if (condition.field != ConditionField::query_string && !condition.query.empty()) {
    return refuse(fmt::format("A 'QueryStringConfig' is not compatible with '{}'", field));
  }
  if (condition.field != ConditionField::http_header && !condition.http_header_name.empty()) {
    return refuse(fmt::format("A 'HttpHeaderName' is not compatible with '{}'", field));
  }
  if (!condition.regex_values.empty() && !takes_regex(condition.field)) {
    return refuse(fmt::format("The 'RegexValues' field is not compatible with '{}'", field));
  }
  if (!condition.regex_values.empty() && !condition.values.empty()) {
    return refuse(fmt::format(
        "You cannot provide both Values and RegexValues for a condition of type '{}'", field));
  }
  if (values_of(condition) == 0) return refuse("A condition value must be specified");
  const std::size_t values_max = condition.field == ConditionField::source_ip
                                     ? limits::source_ips_per_condition_max
                                     : limits::values_per_condition_max;
  if (values_of(condition) > values_max) {
    return refuse(fmt::format("The '{}' field contains too many values; the limit is '{}'", field,
                              values_max));
  }
  return {};
}

Status validate_condition(const Condition& condition) {
  if (auto valid = validate_parts(condition); !valid) return valid;
  if (condition.field == ConditionField::http_header) {
    if (auto valid = validate_header_name(condition.http_header_name); !valid) return valid;
  }
  for (const std::string& value : condition.values) {
    if (auto valid = validate_value(condition.field, value); !valid) return valid;
  }
  for (const std::string& regex : condition.regex_values) {
    if (regex.empty() || !is_visible_ascii(regex)) {
      return refuse("A regular expression must be visible ASCII text");
    }
    if (auto valid =
            validate_length(name_of(condition.field), regex, limits::condition_value_chars_max);
        !valid) {
      return valid;
    }
  }
  return validate_query(condition.query);
}

}  // namespace

Status validate_priority(int priority) {
  if (priority < 1 || priority > limits::priority_max) {
    return fail("ValidationError",
                fmt::format("1 validation error detected: Value '{}' at 'priority' failed to "
                            "satisfy constraint: Member must have value between 1 and {}",
                            priority, limits::priority_max));
  }
  return {};
}

Status validate_conditions(const std::vector<Condition>& conditions) {
  if (conditions.empty()) return refuse("At least one condition must be specified");
  std::array<int, 6> seen{};
  std::size_t values = 0;
  std::size_t wildcards = 0;
  for (const Condition& condition : conditions) {
    if (auto valid = validate_condition(condition); !valid) return valid;
    const auto index = static_cast<std::size_t>(condition.field);
    if (++seen.at(index) > 1 && !may_repeat(condition.field)) {
      return refuse(
          fmt::format("A rule can only have one '{}' condition", name_of(condition.field)));
    }
    values += values_of(condition);
    wildcards += wildcards_of(condition);
  }
  if (values > limits::values_per_rule_max) {
    return fail("ValidationError", fmt::format("A rule can only have '{}' condition values",
                                               limits::values_per_rule_max));
  }
  if (wildcards > limits::wildcards_per_rule_max) {
    return refuse(fmt::format("A rule can only have '{}' condition wildcards",
                              limits::wildcards_per_rule_max));
  }
  return {};
}

}  // namespace weir::model
