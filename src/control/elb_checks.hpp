// What several of ELBv2's verbs look up and check against the state.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/elb_limits.hpp"
#include "control/registry.hpp"

namespace weir::control {

// "LoadBalancerNotFound", "ListenerNotFound", "RuleNotFound", "TargetGroupNotFound",
// "TrustStoreNotFound".
[[nodiscard]] Result<const model::LoadBalancer*> find_load_balancer(const State& state,
                                                                    const std::string& arn);
[[nodiscard]] Result<const model::Listener*> find_listener(const State& state,
                                                           const std::string& arn);
[[nodiscard]] Result<const model::Rule*> find_rule(const State& state, const std::string& arn);
[[nodiscard]] Result<const model::TargetGroup*> find_target_group(const State& state,
                                                                  const std::string& arn);
[[nodiscard]] Result<const model::TrustStore*> find_trust_store(const State& state,
                                                                const std::string& arn);

// Of any of those, and of default rules; its NotFound error, or "ValidationError" where the ARN is
// of no such thing.
[[nodiscard]] Result<model::Tags> tags_of(const State& state, const std::string& arn);

// The groups that these actions forward to exist, lie in the load balancer's VPC, belong to no
// other load balancer, and are not too many for it, nor are their targets.
Status check_target_groups(const State& state, const std::vector<model::Action>& actions,
                           const model::LoadBalancer& load_balancer, const Limits& limits);

// The limits of targets still hold once these registrations are added; for the load balancer that
// the group serves too. "TooManyTargets", "TooManyRegistrationsForTargetId".
Status check_target_limits(const State& state, const std::string& target_group_arn,
                           const std::vector<TargetKey>& added, const Limits& limits);

// A resource that is asked for again is the same one where it has the attributes that were given,
// whatever else has been set since.
[[nodiscard]] bool has_all(const model::Attributes& attributes, const model::Attributes& wanted);

// `old` with the pairs of `more` in the place of its own.
[[nodiscard]] model::Attributes merged(const model::Attributes& old, const model::Attributes& more);

}  // namespace weir::control
