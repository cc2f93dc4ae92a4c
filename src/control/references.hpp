// Who refers to whom, derived from the state.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "control/registry.hpp"

namespace weir::control {

// The target groups that a list of actions forwards to.
[[nodiscard]] std::set<std::string> target_groups_of(const std::vector<model::Action>& actions);

[[nodiscard]] bool forwards_to(const std::vector<model::Action>& actions,
                               const std::string& target_group_arn);

// The load balancers (at most one by the API's rules) whose listeners or rules forward to a group.
[[nodiscard]] std::set<std::string> load_balancers_of(const State& state,
                                                      const std::string& target_group_arn);

// The rules of a listener, and the listeners of a load balancer.
[[nodiscard]] std::vector<const model::Rule*> rules_of(const State& state,
                                                       const std::string& listener_arn);
[[nodiscard]] std::vector<const model::Listener*> listeners_of(
    const State& state, const std::string& load_balancer_arn);

// The default security group of a VPC; nullptr: none.
[[nodiscard]] const model::SecurityGroup* default_security_group(const State& state,
                                                                 const std::string& vpc_id);

}  // namespace weir::control
