// Conditions and transforms: reference §3.2, §3.4.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "aws/elbv2/handlers.hpp"
#include "aws/elbv2/rule_shapes.hpp"
#include "model/names.hpp"

namespace weir::aws::elbv2 {
namespace {

using model::ConditionField;

constexpr std::array<std::string_view, 6> configs = {  // by ConditionField
    "PathPatternConfig",       "HostHeaderConfig",  "HttpHeaderConfig",
    "HttpRequestMethodConfig", "QueryStringConfig", "SourceIpConfig"};

std::string_view config_of(ConditionField field) {
  return configs.at(static_cast<std::size_t>(field));
}

// Those two have members of their own at the top, from when there were no others.
bool has_older_form(ConditionField field) {
  return field == ConditionField::path_pattern || field == ConditionField::host_header;
}

Status check_members(const Value& condition, ConditionField field) {
  const std::string_view name = model::name_of(field);
  for (const std::string_view config : configs) {
    if (config != config_of(field) && condition.has(config)) {
      return refuse(fmt::format("The '{}' field is not compatible with '{}'", config, name));
    }
  }
  const bool has_config = condition.has(config_of(field));
  for (const std::string_view values : {"Values", "RegexValues"}) {
    if (condition.list(values).empty()) continue;
    if (!has_older_form(field)) {
      return refuse(fmt::format("The '{}' field is not compatible with '{}'", values, name));
    }
    if (has_config) {
      return refuse(fmt::format("You cannot provide both {} and '{}' for a condition of type '{}'",
                                values, config_of(field), name));
    }
  }
  if (!has_config && !has_older_form(field)) {
    return refuse(fmt::format("A '{}' must be specified with '{}'", config_of(field), name));
  }
  return {};
}

Result<model::Condition> condition_of(const Value& condition) {
  const std::string name = condition.text("Field");
  const auto field = model::condition_field(name);
  if (!field) {
    return refuse(
        fmt::format("Condition field '{}' must be one of '[path-pattern,host-header,http-header,"
                    "http-request-method,query-string,source-ip]'",
                    name));
  }
  if (auto valid = check_members(condition, *field); !valid) return std::unexpected(valid.error());
  const Value* config = condition.find(config_of(*field));
  const Value& from = config == nullptr ? condition : *config;
  model::Condition out;
  out.field = *field;
  out.http_header_name = from.text("HttpHeaderName");
  if (*field == ConditionField::query_string) {
    for (const Value& pair : from.list("Values")) {
      out.query.push_back({pair.optional_text("Key"), pair.text("Value")});
    }
    return out;
  }
  out.values = from.texts("Values");
  out.regex_values = from.texts("RegexValues");
  return out;
}

Value query_list(const std::vector<model::QueryStringPair>& pairs) {
  Value::List items;
  for (const model::QueryStringPair& pair : pairs) {
    Value item;
    if (pair.key) item.set("Key", *pair.key);
    item.set("Value", pair.value);
    items.push_back(std::move(item));
  }
  return Value(std::move(items));
}

void set_list(Value& out, std::string_view name, const std::vector<std::string>& values) {
  if (!values.empty()) out.set(name, Value::list_of(values));
}

Value condition_value(const model::Condition& condition) {
  Value config;
  config.set_text("HttpHeaderName", condition.http_header_name);
  set_list(config, "Values", condition.values);
  set_list(config, "RegexValues", condition.regex_values);
  if (!condition.query.empty()) config.set("Values", query_list(condition.query));
  Value out;
  out.set("Field", model::name_of(condition.field));
  if (has_older_form(condition.field)) {
    set_list(out, "Values", condition.values);
    set_list(out, "RegexValues", condition.regex_values);
  }
  out.set(config_of(condition.field), std::move(config));
  return out;
}

std::string_view config_of(model::TransformType type) {
  return type == model::TransformType::url_rewrite ? "UrlRewriteConfig" : "HostHeaderRewriteConfig";
}

Result<model::Transform> transform_of(const Value& transform) {
  const auto type = model::transform_type(transform.text("Type"));
  if (!type) return refuse("The type of a transform must be host-header-rewrite or url-rewrite");
  const bool is_url = *type == model::TransformType::url_rewrite;
  const Value* config = transform.find(config_of(*type));
  if (config == nullptr || transform.has(is_url ? "HostHeaderRewriteConfig" : "UrlRewriteConfig")) {
    return refuse(fmt::format("A transform of type '{}' must have a '{}' and no other",
                              model::name_of(*type), config_of(*type)));
  }
  const auto& rewrites = config->list("Rewrites");
  if (rewrites.size() != 1) {
    return refuse(fmt::format("A '{}' must have one rewrite", config_of(*type)));
  }
  return model::Transform{*type, rewrites[0].text("Regex"), rewrites[0].text("Replace")};
}

template <typename Out, typename Convert>
Result<std::vector<Out>> all(const Value::List& items, Convert convert) {
  std::vector<Out> out;
  for (const Value& item : items) {
    Result<Out> made = convert(item);
    if (!made) return std::unexpected(made.error());
    out.push_back(std::move(*made));
  }
  return out;
}

}  // namespace

Result<std::vector<model::Condition>> conditions_of(const Value::List& conditions) {
  return all<model::Condition>(conditions, condition_of);
}

Value condition_list(const std::vector<model::Condition>& conditions) {
  Value::List items;
  for (const model::Condition& condition : conditions) items.push_back(condition_value(condition));
  return Value(std::move(items));
}

Result<std::vector<model::Transform>> transforms_of(const Value::List& transforms) {
  return all<model::Transform>(transforms, transform_of);
}

Value transform_list(const std::vector<model::Transform>& transforms) {
  Value::List items;
  for (const model::Transform& transform : transforms) {
    Value rewrite{{"Regex", transform.regex}, {"Replace", transform.replace}};
    Value item;
    item.set("Type", model::name_of(transform.type));
    item.set(config_of(transform.type), list_of_one("Rewrites", std::move(rewrite)));
    items.push_back(std::move(item));
  }
  return Value(std::move(items));
}

}  // namespace weir::aws::elbv2
