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

// The rules of a listener in order of priority, the listeners of a load balancer in that of port.
[[nodiscard]] std::vector<const model::Rule*> rules_of(const State& state,
                                                       const std::string& listener_arn);
[[nodiscard]] std::vector<const model::Listener*> listeners_of(
    const State& state, const std::string& load_balancer_arn);
// nullptr: none.
[[nodiscard]] const model::Listener* listener_on_port(const State& state,
                                                      const std::string& load_balancer_arn,
                                                      int port);
[[nodiscard]] const model::Rule* rule_with_priority(const State& state,
                                                    const std::string& listener_arn, int priority);

// In (id, port) order; those that drain too.
[[nodiscard]] std::vector<const model::Target*> targets_of(const State& state,
                                                           const std::string& target_group_arn);

// The load balancers whose listeners verify clients with this trust store.
[[nodiscard]] std::set<std::string> load_balancers_with_trust_store(
    const State& state, const std::string& trust_store_arn);

// The default security group of a VPC; nullptr: none.
[[nodiscard]] const model::SecurityGroup* default_security_group(const State& state,
                                                                 const std::string& vpc_id);

}  // namespace weir::control
