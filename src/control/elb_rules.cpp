// Rules: reference §3. The default rule is part of its listener; its ARN follows from the
// listener's.
#include <fmt/format.h>

#include <map>
#include <set>

#include "control/arn.hpp"
#include "control/elb.hpp"
#include "control/elb_checks.hpp"
#include "control/references.hpp"
#include "control/regular_expressions.hpp"
#include "control/shadow_warnings.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

Status check_conditions(const std::vector<model::Condition>& conditions) {
  if (auto valid = model::validate_conditions(conditions); !valid) return valid;
  return check_regular_expressions(conditions);
}

Status check_rule_transforms(const model::Rule& rule) {
  if (auto valid = model::validate_transforms(rule.transforms, rule.actions); !valid) return valid;
  return check_transforms(rule.transforms);
}

// Against the rule's listener and load balancer, which exist.
Status check_actions(const State& state, const model::Rule& rule, const Limits& limits) {
  const model::Listener& listener = state.listeners.at(rule.listener_arn);
  if (auto valid = model::validate_actions(rule.actions, listener.protocol); !valid) return valid;
  const auto load_balancer = find_load_balancer(state, listener.load_balancer_arn);
  if (!load_balancer) return std::unexpected(load_balancer.error());
  return check_target_groups(state, rule.actions, **load_balancer, limits);
}

std::unexpected<Error> priority_in_use(int priority) {
  return fail("PriorityInUse", fmt::format("Priority '{}' is currently in use", priority));
}

Status check_rule_limit(const State& state, const std::string& load_balancer_arn,
                        std::size_t limit) {
  std::size_t rules = 0;
  for (const auto& [port, listener] : state.index.listeners_of(load_balancer_arn)) {
    rules += state.index.rules_of(listener).size();
  }
  if (rules < limit) return {};
  return fail("TooManyRules",
              fmt::format("The load balancer '{}' can have '{}' rules", load_balancer_arn, limit));
}

// The default rules, which none of these verbs takes, are told from rules that do not exist.
Status check_exists(const State& state, const std::string& arn, std::string_view refused) {
  if (state.rules.contains(arn)) return {};
  if (listener_of_default_rule(state, arn) != nullptr) {
    return fail("OperationNotPermitted", fmt::format("Default rule '{}' {}", arn, refused),
                "Its actions are those of the listener: use ModifyListener.");
  }
  return fail("RuleNotFound", fmt::format("Rule '{}' not found", arn));
}

// The rules with their new priorities; none of which another rule of its listener has.
Result<std::vector<model::Rule>> renumbered(const State& state,
                                            const std::vector<RulePriority>& priorities) {
  std::vector<model::Rule> rules;
  std::set<std::string> arns;
  std::set<std::pair<std::string, int>> taken;  // (listener, priority)
  for (const auto& [arn, priority] : priorities) {
    if (auto valid = model::validate_priority(priority); !valid) {
      return std::unexpected(valid.error());
    }
    if (auto exists = check_exists(state, arn, "cannot be given a priority"); !exists) {
      return std::unexpected(exists.error());
    }
    if (!arns.insert(arn).second) {
      return fail("ValidationError", fmt::format("The rule '{}' is listed more than once", arn));
    }
    rules.push_back(state.rules.at(arn));
    rules.back().priority = priority;
    if (!taken.emplace(rules.back().listener_arn, priority).second) {
      return priority_in_use(priority);
    }
  }
  for (const model::Rule& rule : rules) {
    const model::Rule* holder = rule_with_priority(state, rule.listener_arn, rule.priority);
    if (holder != nullptr && !arns.contains(holder->arn)) return priority_in_use(rule.priority);
  }
  return rules;
}

}  // namespace

Result<model::Rule> Elb::create_rule(const CreateRuleInput& input) {
  model::Rule rule{.arn = {},
                   .listener_arn = input.listener_arn,
                   .priority = input.priority,
                   .conditions = input.conditions,
                   .actions = input.actions,
                   .transforms = input.transforms,
                   .tags = input.tags};
  for (const Status& valid :
       {model::validate_priority(rule.priority), check_conditions(rule.conditions),
        check_rule_transforms(rule), model::validate_tags(rule.tags)}) {
    if (!valid) return std::unexpected(valid.error());
  }
  auto done = registry_.update([&](Draft& draft) -> Status {
    const State& state = draft.state();
    const auto listener = find_listener(state, input.listener_arn);
    if (!listener) return std::unexpected(listener.error());
    if (rule_with_priority(state, rule.listener_arn, rule.priority) != nullptr) {
      return priority_in_use(rule.priority);
    }
    if (auto valid = check_actions(state, rule, limits_); !valid) return valid;
    if (auto valid = check_rule_limit(state, (*listener)->load_balancer_arn,
                                      limits_.rules_per_load_balancer);
        !valid) {
      return valid;
    }
    rule.arn = make_rule_arn(input.listener_arn);
    draft.put(rule);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  warn_of_shadows(registry_, rule);
  return rule;
}

Result<model::Rule> Elb::modify_rule(const ModifyRuleInput& input) {
  if (input.conditions) {
    if (auto valid = check_conditions(*input.conditions); !valid) {
      return std::unexpected(valid.error());
    }
  }
  model::Rule rule;
  auto done = registry_.update([&](Draft& draft) -> Status {
    const State& state = draft.state();
    if (auto exists = check_exists(state, input.rule_arn, "cannot be modified"); !exists) {
      return exists;
    }
    rule = state.rules.at(input.rule_arn);
    if (input.conditions) rule.conditions = *input.conditions;
    if (input.transforms) rule.transforms = *input.transforms;
    if (input.actions) {
      rule.actions = *input.actions;
      if (auto valid = check_actions(state, rule, limits_); !valid) return valid;
    }
    if (auto valid = check_rule_transforms(rule); !valid) return valid;
    draft.put(rule);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  warn_of_shadows(registry_, rule);
  return rule;
}

Result<std::vector<model::Rule>> Elb::set_rule_priorities(
    const std::vector<RulePriority>& priorities) {
  if (priorities.empty()) {
    return fail("ValidationError", "At least one rule priority must be specified");
  }
  std::vector<model::Rule> rules;
  auto done = registry_.update([&](Draft& draft) -> Status {
    auto changed = renumbered(draft.state(), priorities);
    if (!changed) return std::unexpected(changed.error());
    rules = std::move(*changed);
    for (const model::Rule& rule : rules) draft.put(rule);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  warn_of_shadows(registry_, rules);
  return rules;
}

Status Elb::delete_rule(const std::string& arn) {
  return registry_.update([&](Draft& draft) -> Status {
    if (auto exists = check_exists(draft.state(), arn, "cannot be deleted"); !exists) return exists;
    draft.erase_rule(arn);
    return {};
  });
}

}  // namespace weir::control
