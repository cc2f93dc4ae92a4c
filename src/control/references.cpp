#include "control/references.hpp"

#include <algorithm>

namespace weir::control {

std::set<std::string> target_groups_of(const std::vector<model::Action>& actions) {
  std::set<std::string> arns;
  for (const model::Action& action : actions) {
    const auto* forward = std::get_if<model::ForwardAction>(&action.config);
    if (forward == nullptr) continue;
    for (const model::TargetGroupTuple& tuple : forward->target_groups) {
      arns.insert(tuple.target_group_arn);
    }
  }
  return arns;
}

bool forwards_to(const std::vector<model::Action>& actions, const std::string& target_group_arn) {
  return std::ranges::any_of(actions, [&](const model::Action& action) {
    const auto* forward = std::get_if<model::ForwardAction>(&action.config);
    return forward != nullptr && std::ranges::find(forward->target_groups, target_group_arn,
                                                   &model::TargetGroupTuple::target_group_arn) !=
                                     forward->target_groups.end();
  });
}

std::set<std::string> load_balancers_of(const State& state, const std::string& target_group_arn) {
  std::set<std::string> arns;
  for (const auto& [arn, listener] : state.listeners) {
    if (forwards_to(listener.default_actions, target_group_arn)) {
      arns.insert(listener.load_balancer_arn);
    }
  }
  for (const auto& [arn, rule] : state.rules) {
    if (!forwards_to(rule.actions, target_group_arn)) continue;
    if (const auto listener = state.listeners.find(rule.listener_arn);
        listener != state.listeners.end()) {
      arns.insert(listener->second.load_balancer_arn);
    }
  }
  return arns;
}

std::vector<const model::Rule*> rules_of(const State& state, const std::string& listener_arn) {
  std::vector<const model::Rule*> rules;
  for (const auto& [arn, rule] : state.rules) {
    if (rule.listener_arn == listener_arn) rules.push_back(&rule);
  }
  return rules;
}

std::vector<const model::Listener*> listeners_of(const State& state,
                                                 const std::string& load_balancer_arn) {
  std::vector<const model::Listener*> listeners;
  for (const auto& [arn, listener] : state.listeners) {
    if (listener.load_balancer_arn == load_balancer_arn) listeners.push_back(&listener);
  }
  return listeners;
}

const model::SecurityGroup* default_security_group(const State& state, const std::string& vpc_id) {
  for (const auto& [id, group] : state.security_groups) {
    if (group.vpc_id == vpc_id && group.name == "default") return &group;
  }
  return nullptr;
}

}  // namespace weir::control
