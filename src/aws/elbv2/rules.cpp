// Rules: reference §3, §8.2. The default rule, which is part of its listener, is shown as the last.
#include <fmt/format.h>

#include "aws/elbv2/handlers.hpp"
#include "aws/elbv2/rule_shapes.hpp"
#include "control/arn.hpp"
#include "control/elb_checks.hpp"

namespace weir::aws::elbv2 {
namespace {

Value rule_value(const model::Rule& source) {
  Value out{{"RuleArn", source.arn}, {"Priority", std::to_string(source.priority)}};
  out.set("Conditions", condition_list(source.conditions));
  out.set("Actions", action_list(source.actions));
  out.set("IsDefault", false);
  if (!source.transforms.empty()) out.set("Transforms", transform_list(source.transforms));
  return out;
}

Value default_rule_value(const model::Listener& listener) {
  Value out{{"RuleArn", control::default_rule_arn(listener.arn)}, {"Priority", "default"}};
  out.set("Conditions", Value(Value::List{}));
  out.set("Actions", action_list(listener.default_actions));
  out.set("IsDefault", true);
  return out;
}

Value rule_list(const std::vector<model::Rule>& rules) {
  Value::List items;
  for (const model::Rule& rule : rules) items.push_back(rule_value(rule));
  Value out;
  out.set("Rules", Value(std::move(items)));
  return out;
}

Result<Value> create(const Elbv2Parts& parts, const Value& input) {
  auto conditions = conditions_of(input.list("Conditions"));
  if (!conditions) return std::unexpected(conditions.error());
  auto actions = actions_of(input.list("Actions"));
  if (!actions) return std::unexpected(actions.error());
  auto transforms = transforms_of(input.list("Transforms"));
  if (!transforms) return std::unexpected(transforms.error());
  auto tags = tags_of(input);
  if (!tags) return std::unexpected(tags.error());
  const auto made = parts.elb.create_rule({.listener_arn = input.text("ListenerArn"),
                                           .priority = int_of(input, "Priority").value_or(0),
                                           .conditions = std::move(*conditions),
                                           .actions = std::move(*actions),
                                           .transforms = std::move(*transforms),
                                           .tags = std::move(*tags)});
  if (!made) return std::unexpected(made.error());
  return rule_list({*made});
}

Result<Value> modify(const Elbv2Parts& parts, const Value& input) {
  control::ModifyRuleInput wanted;
  wanted.rule_arn = input.text("RuleArn");
  if (input.has("Conditions")) {
    auto conditions = conditions_of(input.list("Conditions"));
    if (!conditions) return std::unexpected(conditions.error());
    wanted.conditions = std::move(*conditions);
  }
  if (input.has("Actions")) {
    auto actions = actions_of(input.list("Actions"));
    if (!actions) return std::unexpected(actions.error());
    wanted.actions = std::move(*actions);
  }
  const bool is_reset = input.flag("ResetTransforms").value_or(false);
  if (is_reset && !input.list("Transforms").empty()) {
    return refuse("'Transforms' and 'ResetTransforms' cannot be specified together");
  }
  if (is_reset || input.has("Transforms")) {
    auto transforms = transforms_of(input.list("Transforms"));
    if (!transforms) return std::unexpected(transforms.error());
    wanted.transforms = std::move(*transforms);
  }
  const auto changed = parts.elb.modify_rule(wanted);
  if (!changed) return std::unexpected(changed.error());
  return rule_list({*changed});
}

Result<Value> set_priorities(const Elbv2Parts& parts, const Value& input) {
  std::vector<control::RulePriority> wanted;
  for (const Value& pair : input.list("RulePriorities")) {
    if (!pair.has("RuleArn") || !pair.has("Priority")) {
      return refuse("A 'RuleArn' and a 'Priority' must be specified in each rule priority");
    }
    wanted.push_back({pair.text("RuleArn"), int_of(pair, "Priority").value_or(0)});
  }
  const auto changed = parts.elb.set_rule_priorities(wanted);
  if (!changed) return std::unexpected(changed.error());
  return rule_list(*changed);
}

// The page ends with the default rule where it has room for it.
Result<Value> describe_of(const control::State& state, const std::string& listener_arn,
                          const Page& page) {
  const auto listener = control::find_listener(state, listener_arn);
  if (!listener) {
    return fail("ListenerNotFound", "One or more listeners not found");
  }
  const auto after = number_of(page);
  if (!after) return std::unexpected(after.error());
  const auto& numbered = state.index.rules_of(listener_arn);
  Value::List items;
  int last = static_cast<int>(*after);
  auto at = numbered.lower_bound({last + 1, ""});
  for (; at != numbered.end() && items.size() < page.size; ++at) {
    items.push_back(rule_value(state.rules.at(at->second)));
    last = at->first;
  }
  Value out;
  const bool is_last = at == numbered.end() && items.size() < page.size;
  if (is_last) {
    items.push_back(default_rule_value(**listener));
  } else {
    out.set("NextMarker", make_marker(std::to_string(last)));
  }
  out.set("Rules", Value(std::move(items)));
  return out;
}

Result<Value> describe(const control::State& state, const Value& input) {
  const auto arns = input.texts("RuleArns");
  const auto listener = input.optional_text("ListenerArn");
  if (arns.empty() != listener.has_value()) {
    return refuse("You must specify either listener rule ARNs or a listener ARN");
  }
  const auto page = page_of(input, !arns.empty());
  if (!page) return std::unexpected(page.error());
  if (listener) return describe_of(state, *listener, *page);
  Value::List items;
  for (const std::string& arn : arns) {
    if (const model::Listener* owner = control::listener_of_default_rule(state, arn)) {
      items.push_back(default_rule_value(*owner));
      continue;
    }
    const auto found = state.rules.find(arn);
    if (found == state.rules.end()) return fail("RuleNotFound", "One or more rules not found");
    items.push_back(rule_value(found->second));
  }
  Value out;
  out.set("Rules", Value(std::move(items)));
  return out;
}

}  // namespace

void add_rules(Handlers& handlers, const Elbv2Parts& parts) {
  handlers["CreateRule"] = changing(parts, create);
  handlers["ModifyRule"] = changing(parts, modify);
  handlers["SetRulePriorities"] = changing(parts, set_priorities);
  handlers["DescribeRules"] = reading(parts, describe);
  handlers["DeleteRule"] =
      changing(parts, [](const Elbv2Parts& with, const Value& input) -> Result<Value> {
        auto done = with.elb.delete_rule(input.text("RuleArn"));
        if (!done) return std::unexpected(done.error());
        return Value();
      });
}

}  // namespace weir::aws::elbv2
