// What the APIs refuse, as functions of values alone: no look-up, no state. Errors carry AWS's code
// and text; where several things are wrong, the first one is told.
//
// validate_names.cpp: names and tags. validate_rules.cpp: conditions and actions (reference §3).
// validate_transforms.cpp: §3.4. validate_targets.cpp: health checks (§4.5). validate_security.cpp: security groups (§9.4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/resources.hpp"

namespace weir::model {

[[nodiscard]] bool is_valid_utf8(std::string_view text);
// The number of code points of valid UTF-8.
[[nodiscard]] std::size_t chars_of(std::string_view text);

Status validate_load_balancer_name(std::string_view name);
Status validate_target_group_name(std::string_view name);
// Keys that begin with aws: are refused, but for the aws:cloudformation: ones that stacks/ gives to
// what it makes.
Status validate_tags(const Tags& tags);
// `id` is `prefix` (with its hyphen) and 8 or 17 hexadecimal digits.
[[nodiscard]] bool is_ec2_id(std::string_view id, std::string_view prefix);

Status validate_port(int port, std::string_view parameter);
Status validate_priority(int priority);
// All conditions of one rule; at least one.
Status validate_conditions(const std::vector<Condition>& conditions);
// False: it authenticates, and another one follows.
[[nodiscard]] bool is_routing_action(const Action& action);
// All actions of one rule or default rule of a listener with this protocol: their form, not whether
// the target groups exist.
Status validate_actions(const std::vector<Action>& actions, std::string_view listener_protocol);
// The transforms of a rule with these actions: their form, not whether the expressions compile.
Status validate_transforms(const std::vector<Transform>& transforms,
                           const std::vector<Action>& actions);

Status validate_health_check(const HealthCheck& check, std::string_view target_type);
// "200", "200,202", "200-299" and mixtures, within 200–499.
Status validate_http_codes(std::string_view codes);

Status validate_security_group_name(std::string_view name);
Status validate_security_group_description(std::string_view description);
// The rule as EC2 keeps it: protocol in lower case and by name, ports normalised, ranges
// canonical. Exactly one peer must be given.
[[nodiscard]] Result<SecurityGroupRule> canonical_rule(const SecurityGroupRule& rule);
// `peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW`, as the API's errors write a rule.
[[nodiscard]] std::string describe(const SecurityGroupRule& rule);

}  // namespace weir::model
