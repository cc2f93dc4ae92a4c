#include "importing/actions.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir::importing {
namespace {

using aws::Value;

Value::List refusal(std::string_view why) {
  Value config{{"StatusCode", "503"}, {"ContentType", "text/plain"}};
  config.set("MessageBody", Value(fmt::format("Not imported: {}", why).substr(0, 1024)));
  Value action{{"Type", "fixed-response"}};
  action.set("FixedResponseConfig", std::move(config));
  return {std::move(action)};
}

Value without(const Value& value, std::initializer_list<std::string_view> names) {
  Value::Structure kept;
  for (const auto& member : value.members()) {
    if (std::ranges::find(names, member.first) == names.end()) kept.push_back(member);
  }
  return Value::structure(std::move(kept));
}

// Target groups with their weights, in either way that an action names them.
Value::List tuples_of(const Value& action) {
  if (const Value* forward = action.find("ForwardConfig");
      forward != nullptr && !forward->list("TargetGroups").empty())
    return forward->list("TargetGroups");
  return {Value{{"TargetGroupArn", action.text("TargetGroupArn")}}};
}

bool is_sticky(const Value& action) {
  const Value* forward = action.find("ForwardConfig");
  if (forward == nullptr) return false;
  const Value* stickiness = forward->find("TargetGroupStickinessConfig");
  return stickiness != nullptr && stickiness->flag("Enabled").value_or(false);
}

// nullopt: none of its target groups is in the template.
std::optional<Value> kept_forward(const Value& action, const References& references,
                                  std::string_view where, Notices& notices) {
  auto tuples = tuples_of(action);
  const auto all = tuples.size();
  std::erase_if(tuples, [&](const Value& tuple) {
    return !references.contains(tuple.text("TargetGroupArn"));
  });
  if (tuples.empty()) return std::nullopt;
  if (tuples.size() < all) {
    notices.add(fmt::format("{}: {} of {} target groups that it forwards to are left out", where,
                            all - tuples.size(), all));
  }
  auto kept = without(action, {"TargetGroupArn", "ForwardConfig"});
  if (tuples.size() == 1 && !is_sticky(action)) {
    kept.set("TargetGroupArn", tuples.front().text("TargetGroupArn"));
    return kept;
  }
  auto forward = Value{};
  forward.set("TargetGroups", Value(std::move(tuples)));
  if (is_sticky(action)) {
    forward.set("TargetGroupStickinessConfig",
                *action.find("ForwardConfig")->find("TargetGroupStickinessConfig"));
  }
  kept.set("ForwardConfig", std::move(forward));
  return kept;
}

}  // namespace

Value::List kept_actions(const Value::List& actions, std::span<const stacks::Property> fields,
                         const References& references, std::string_view where, Notices& notices) {
  const auto* types = find_property(fields, "Type");
  Value::List kept;
  for (const auto& action : actions) {
    const auto type = action.text("Type");
    if (types != nullptr && !allows(*types, type)) {
      notices.add(fmt::format("{}: its actions become a fixed response 503: {}: {}", where, type,
                              types->note.empty() ? "Weir does not know it" : types->note));
      return refusal(fmt::format("{} actions", type));
    }
    auto plain = actions.size() == 1 ? without(action, {"Order"}) : action;
    if (type == "forward") {
      auto forward = kept_forward(plain, references, where, notices);
      if (!forward) {
        notices.add(
            fmt::format("{}: its actions become a fixed response 503: no target group that "
                        "it forwards to is imported",
                        where));
        return refusal("the target group");
      }
      plain = std::move(*forward);
    }
    kept.push_back(std::move(plain));
  }
  return kept;
}

std::optional<Value::List> kept_conditions(const Value::List& conditions,
                                           std::span<const stacks::Property> fields,
                                           std::string_view where, Notices& notices) {
  const auto* known = find_property(fields, "Field");
  Value::List kept;
  for (const auto& condition : conditions) {
    const auto field = condition.text("Field");
    if (known != nullptr && !allows(*known, field)) {
      notices.add(fmt::format("{} is left out: Weir does not know conditions of {}", where, field));
      return std::nullopt;
    }
    const bool has_config = std::ranges::any_of(condition.members(), [](const auto& member) {
      return member.first.ends_with("Config") && !member.second.members().empty();
    });
    kept.push_back(has_config ? without(condition, {"Values", "RegexValues"}) : condition);
  }
  if (kept.empty()) {
    notices.add(fmt::format("{} is left out: it has no conditions", where));
    return std::nullopt;
  }
  return kept;
}

}  // namespace weir::importing
