// ARNs as ELBv2 forms them (reference §1.3). A listener's ARN holds its load balancer's id, a
// rule's its listener's, so that a part tells where it belongs.
#pragma once

#include <string>

#include "control/registry.hpp"

namespace weir::control {

[[nodiscard]] std::string make_load_balancer_arn(const Registry& registry, const std::string& name);
[[nodiscard]] std::string make_target_group_arn(const Registry& registry, const std::string& name);
[[nodiscard]] std::string make_listener_arn(const std::string& load_balancer_arn);
[[nodiscard]] std::string make_rule_arn(const std::string& listener_arn);

}  // namespace weir::control
