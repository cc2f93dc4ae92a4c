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
  for (const auto& [arn, count] : state.index.listeners_forwarding_to(target_group_arn)) {
    // A listener that is being deleted may go before its rules do.
    const auto listener = state.listeners.find(arn);
    if (listener != state.listeners.end()) arns.insert(listener->second.load_balancer_arn);
  }
  return arns;
}

std::vector<const model::Rule*> rules_of(const State& state, const std::string& listener_arn) {
  const Index::Numbered& numbered = state.index.rules_of(listener_arn);
  std::vector<const model::Rule*> rules;
  rules.reserve(numbered.size());
  for (const auto& [priority, arn] : numbered) rules.push_back(&state.rules.at(arn));
  return rules;
}

std::vector<const model::Listener*> listeners_of(const State& state,
                                                 const std::string& load_balancer_arn) {
  const Index::Numbered& numbered = state.index.listeners_of(load_balancer_arn);
  std::vector<const model::Listener*> listeners;
  listeners.reserve(numbered.size());
  for (const auto& [port, arn] : numbered) listeners.push_back(&state.listeners.at(arn));
  return listeners;
}

const model::Listener* listener_on_port(const State& state, const std::string& load_balancer_arn,
                                        int port) {
  const Index::Numbered& numbered = state.index.listeners_of(load_balancer_arn);
  const auto found = numbered.lower_bound({port, ""});
  if (found == numbered.end() || found->first != port) return nullptr;
  return &state.listeners.at(found->second);
}

const model::Rule* rule_with_priority(const State& state, const std::string& listener_arn,
                                      int priority) {
  const Index::Numbered& numbered = state.index.rules_of(listener_arn);
  const auto found = numbered.lower_bound({priority, ""});
  if (found == numbered.end() || found->first != priority) return nullptr;
  return &state.rules.at(found->second);
}

std::vector<const model::Target*> targets_of(const State& state,
                                             const std::string& target_group_arn) {
  std::vector<const model::Target*> targets;
  targets.reserve(state.index.targets_of(target_group_arn));
  const TargetKey first{target_group_arn, "", 0};
  for (auto at = state.targets.lower_bound(first);
       at != state.targets.end() && at->second.target_group_arn == target_group_arn; ++at) {
    targets.push_back(&at->second);
  }
  return targets;
}

std::set<std::string> load_balancers_with_trust_store(const State& state,
                                                      const std::string& trust_store_arn) {
  std::set<std::string> out;
  for (const auto& [arn, listener] : state.listeners) {
    if (listener.mutual_authentication.trust_store_arn == trust_store_arn)
      out.insert(listener.load_balancer_arn);
  }
  return out;
}

const model::SecurityGroup* default_security_group(const State& state, const std::string& vpc_id) {
  for (const auto& [id, group] : state.security_groups) {
    if (group.vpc_id == vpc_id && group.name == "default") return &group;
  }
  return nullptr;
}

}  // namespace weir::control
