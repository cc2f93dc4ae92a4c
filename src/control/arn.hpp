// ARNs as ELBv2 forms them (reference §1.3). A listener's ARN holds its load balancer's id, a
// rule's its listener's, so that a part tells where it belongs.
#pragma once

#include <string>
#include <string_view>

#include "control/registry.hpp"

namespace weir::control {

[[nodiscard]] std::string make_load_balancer_arn(const Registry& registry, const std::string& name);
[[nodiscard]] std::string make_target_group_arn(const Registry& registry, const std::string& name);
[[nodiscard]] std::string make_listener_arn(const std::string& load_balancer_arn);
[[nodiscard]] std::string make_rule_arn(const std::string& listener_arn);
// Of ACM, and of an IAM server certificate.
[[nodiscard]] std::string make_certificate_arn(const Registry& registry);
[[nodiscard]] std::string make_server_certificate_arn(const Registry& registry,
                                                      const std::string& name);
[[nodiscard]] std::string make_trust_store_arn(const Registry& registry, const std::string& name);

// A default rule has no record: its ARN is made from its listener's, always the same one.
[[nodiscard]] std::string default_rule_arn(const std::string& listener_arn);
// nullptr: no listener's default rule has this ARN.
[[nodiscard]] const model::Listener* listener_of_default_rule(const State& state,
                                                              const std::string& rule_arn);

enum class ArnKind { load_balancer, target_group, listener, rule, trust_store, other };
[[nodiscard]] ArnKind kind_of_arn(std::string_view arn);

}  // namespace weir::control
