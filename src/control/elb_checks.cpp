#include "control/elb_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "control/references.hpp"

namespace weir::control {
namespace {

// All groups that a load balancer forwards to.
std::set<std::string> groups_of(const State& state, const std::string& load_balancer_arn) {
  std::set<std::string> groups;
  for (const auto& [port, listener] : state.index.listeners_of(load_balancer_arn)) {
    for (const auto& [group, count] : state.index.groups_of(listener)) groups.insert(group);
  }
  return groups;
}

std::size_t targets_of_all(const State& state, const std::set<std::string>& groups) {
  std::size_t count = 0;
  for (const std::string& group : groups) count += state.index.targets_of(group);
  return count;
}

std::unexpected<Error> too_many_targets(const std::string& load_balancer_arn, std::size_t limit) {
  return fail("TooManyTargets", fmt::format("The load balancer '{}' can have '{}' targets",
                                            load_balancer_arn, limit));
}

// Counting walks all groups of the load balancer, so it is done only where there are enough groups
// or targets in all for a limit to be reached.
Status check_load_balancer_limits(const State& state, const std::set<std::string>& added,
                                  const std::string& load_balancer_arn, const Limits& limits) {
  const bool may_have_too_many =
      state.target_groups.size() > limits.target_groups_per_load_balancer ||
      state.targets.size() > limits.targets_per_load_balancer;
  if (!may_have_too_many) return {};
  std::set<std::string> groups = groups_of(state, load_balancer_arn);
  const std::size_t before = groups.size();
  groups.insert(added.begin(), added.end());
  if (groups.size() == before) return {};
  if (groups.size() > limits.target_groups_per_load_balancer) {
    return fail("TooManyUniqueTargetGroupsPerLoadBalancer",
                fmt::format("The load balancer '{}' can use '{}' target groups", load_balancer_arn,
                            limits.target_groups_per_load_balancer));
  }
  if (targets_of_all(state, groups) > limits.targets_per_load_balancer) {
    return too_many_targets(load_balancer_arn, limits.targets_per_load_balancer);
  }
  return {};
}

// How often a load balancer has this target, in whichever groups.
std::size_t registrations_of(const State& state, const std::set<std::string>& groups,
                             const std::string& target_id) {
  std::size_t count = 0;
  for (const TargetKey& key : state.index.registrations_of(target_id)) {
    if (groups.contains(std::get<0>(key))) ++count;
  }
  return count;
}

Status check_registrations(const State& state, const std::string& load_balancer_arn,
                           const std::vector<TargetKey>& added, std::size_t limit) {
  std::map<std::string, std::size_t> more;
  for (const auto& [group, id, port] : added) ++more[id];
  for (const auto& [id, count] : more) {
    if (state.index.registrations_of(id).size() + count <= limit) continue;
    if (registrations_of(state, groups_of(state, load_balancer_arn), id) + count > limit) {
      return fail("TooManyRegistrationsForTargetId",
                  fmt::format("The target '{}' can be registered '{}' times with a load balancer",
                              id, limit));
    }
  }
  return {};
}

}  // namespace

Result<const model::LoadBalancer*> find_load_balancer(const State& state, const std::string& arn) {
  const auto found = state.load_balancers.find(arn);
  if (found == state.load_balancers.end()) {
    return fail("LoadBalancerNotFound", fmt::format("Load balancer '{}' not found", arn));
  }
  return &found->second;
}

Result<const model::Listener*> find_listener(const State& state, const std::string& arn) {
  const auto found = state.listeners.find(arn);
  if (found == state.listeners.end()) {
    return fail("ListenerNotFound", fmt::format("Listener '{}' not found", arn));
  }
  return &found->second;
}

Result<const model::Rule*> find_rule(const State& state, const std::string& arn) {
  const auto found = state.rules.find(arn);
  if (found == state.rules.end()) {
    return fail("RuleNotFound", fmt::format("Rule '{}' not found", arn));
  }
  return &found->second;
}

Result<const model::TargetGroup*> find_target_group(const State& state, const std::string& arn) {
  const auto found = state.target_groups.find(arn);
  if (found == state.target_groups.end()) {
    return fail("TargetGroupNotFound", fmt::format("Target groups '{}' not found", arn));
  }
  return &found->second;
}

Result<const model::TrustStore*> find_trust_store(const State& state, const std::string& arn) {
  const auto found = state.trust_stores.find(arn);
  if (found == state.trust_stores.end()) {
    return fail("TrustStoreNotFound", fmt::format("Trust store '{}' not found", arn));
  }
  return &found->second;
}

Status check_target_groups(const State& state, const std::vector<model::Action>& actions,
                           const model::LoadBalancer& load_balancer, const Limits& limits) {
  const std::set<std::string> groups = target_groups_of(actions);
  for (const std::string& arn : groups) {
    const auto group = find_target_group(state, arn);
    if (!group) return std::unexpected(group.error());
    if ((*group)->vpc_id != load_balancer.vpc_id) {
      return fail("InvalidConfigurationRequest",
                  fmt::format("The target group '{}' is not in the VPC of the load balancer", arn));
    }
    std::set<std::string> users = load_balancers_of(state, arn);
    users.erase(load_balancer.arn);
    if (!users.empty()) {
      return fail("TargetGroupAssociationLimit",
                  fmt::format("The following target groups cannot be associated with more than one "
                              "load balancer: {}",
                              arn));
    }
  }
  return check_load_balancer_limits(state, groups, load_balancer.arn, limits);
}

Status check_target_limits(const State& state, const std::string& target_group_arn,
                           const std::vector<TargetKey>& added, const Limits& limits) {
  if (state.index.targets_of(target_group_arn) + added.size() > limits.targets_per_target_group) {
    return fail("TooManyTargets", fmt::format("The target group '{}' can have '{}' targets",
                                              target_group_arn, limits.targets_per_target_group));
  }
  for (const std::string& load_balancer : load_balancers_of(state, target_group_arn)) {
    const std::set<std::string> groups =
        state.targets.size() + added.size() > limits.targets_per_load_balancer
            ? groups_of(state, load_balancer)
            : std::set<std::string>{target_group_arn};
    if (targets_of_all(state, groups) + added.size() > limits.targets_per_load_balancer) {
      return too_many_targets(load_balancer, limits.targets_per_load_balancer);
    }
    if (auto valid = check_registrations(state, load_balancer, added,
                                         limits.registrations_of_a_target_per_load_balancer);
        !valid) {
      return valid;
    }
  }
  return {};
}

bool has_all(const model::Attributes& attributes, const model::Attributes& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& pair) {
    const auto found = attributes.find(pair.first);
    return found != attributes.end() && found->second == pair.second;
  });
}

model::Attributes merged(const model::Attributes& old, const model::Attributes& more) {
  model::Attributes out = more;
  out.insert(old.begin(), old.end());
  return out;
}

}  // namespace weir::control
