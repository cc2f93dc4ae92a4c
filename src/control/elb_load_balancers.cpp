// Load balancers: reference §1.1–§1.5.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "control/arn.hpp"
#include "control/elb.hpp"
#include "control/elb_checks.hpp"
#include "control/elb_network.hpp"
#include "control/references.hpp"
#include "model/attributes.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

constexpr std::size_t dns_number_digits = 10;

Status validate(const CreateLoadBalancerInput& input) {
  if (auto valid = model::validate_load_balancer_name(input.name); !valid) return valid;
  if (input.scheme != "internet-facing" && input.scheme != "internal") {
    return fail("InvalidScheme",
                fmt::format("Load balancer scheme '{}' must be 'internet-facing' or 'internal'",
                            input.scheme));
  }
  if (auto valid = check_ip_address_type(input.ip_address_type); !valid) return valid;
  if (auto valid = check_ipam_pool(input.ipam_pool_id); !valid) return valid;
  if (auto valid = model::validate_load_balancer_attributes(input.attributes); !valid) {
    return valid;
  }
  return model::validate_tags(input.tags);
}

// The same load balancer has been asked for again (reference §1.5).
bool is_same(const model::LoadBalancer& old, const CreateLoadBalancerInput& input,
             const std::vector<std::string>& security_group_ids) {
  std::set<std::string> old_subnets;
  for (const model::LoadBalancerNode& node : old.nodes) old_subnets.insert(node.subnet_id);
  const auto as_set = [](const std::vector<std::string>& ids) {
    return std::set<std::string>(ids.begin(), ids.end());
  };
  return old.scheme == input.scheme && old.ip_address_type == input.ip_address_type &&
         old_subnets == as_set(input.subnet_ids) &&
         as_set(old.security_group_ids) == as_set(security_group_ids) &&
         old.ipam_pool_id == input.ipam_pool_id && has_all(old.attributes, input.attributes) &&
         old.tags == input.tags;
}

const model::LoadBalancer* find_by_name(const State& state, const std::string& name) {
  const std::string* arn = state.index.load_balancer_named(name);
  return arn == nullptr ? nullptr : &state.load_balancers.at(*arn);
}

std::string make_dns_name(const Registry& registry, const CreateLoadBalancerInput& input) {
  return fmt::format("{}{}-{}.{}.elb.localhost", input.scheme == "internal" ? "internal-" : "",
                     input.name, random_decimal(dns_number_digits), registry.region());
}

}  // namespace

Elb::Elb(Registry& registry, DataPlane& data_plane, const Limits& limits)
    : registry_(registry), data_plane_(data_plane), limits_(limits) {}

Result<model::LoadBalancer> Elb::create_load_balancer(const CreateLoadBalancerInput& input) {
  if (auto valid = validate(input); !valid) return std::unexpected(valid.error());
  model::LoadBalancer out;
  auto done = registry_.update([&](Draft& draft) -> Status {
    const State& state = draft.state();
    const auto subnets = find_subnets(state, input.subnet_ids);
    if (!subnets) return std::unexpected(subnets.error());
    const std::string vpc_id = subnets->front()->vpc_id;
    auto groups = find_security_groups(state, vpc_id, input.security_group_ids);
    if (!groups) return std::unexpected(groups.error());

    if (const model::LoadBalancer* old = find_by_name(state, input.name)) {
      out = *old;
      if (is_same(*old, input, *groups)) return {};
      return fail("DuplicateLoadBalancerName",
                  fmt::format("A load balancer with the same name '{}' exists, but with different "
                              "settings",
                              input.name));
    }
    if (state.load_balancers.size() >= limits_.load_balancers) {
      return fail(
          "TooManyLoadBalancers",
          fmt::format("The limit of '{}' load balancers has been reached", limits_.load_balancers));
    }
    auto nodes = make_nodes(state, *subnets, {});
    if (!nodes) return std::unexpected(nodes.error());
    out = {.arn = make_load_balancer_arn(registry_, input.name),
           .name = input.name,
           .dns_name = make_dns_name(registry_, input),
           .scheme = input.scheme,
           .ip_address_type = input.ip_address_type,
           .vpc_id = vpc_id,
           .nodes = std::move(*nodes),
           .security_group_ids = std::move(*groups),
           .state = model::LoadBalancerState::provisioning,
           .state_reason = {},
           .created_at_ms = wall_ms(),
           .ipam_pool_id = input.ipam_pool_id,
           .capacity = {},
           .attributes = input.attributes,
           .tags = input.tags};
    draft.put(out);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return out;
}

Status Elb::delete_load_balancer(const std::string& arn) {
  return registry_.update([&](Draft& draft) -> Status {
    const auto found = draft.state().load_balancers.find(arn);
    if (found == draft.state().load_balancers.end()) return {};
    if (model::has_deletion_protection(found->second)) {
      return fail("OperationNotPermitted",
                  fmt::format("Load balancer '{}' cannot be deleted because deletion protection is "
                              "enabled",
                              arn),
                  "Set the attribute deletion_protection.enabled to false first.");
    }
    std::vector<std::string> listeners;
    std::vector<std::string> rules;
    for (const model::Listener* listener : listeners_of(draft.state(), arn)) {
      listeners.push_back(listener->arn);
      for (const model::Rule* rule : rules_of(draft.state(), listener->arn)) {
        rules.push_back(rule->arn);
      }
    }
    for (const std::string& rule : rules) draft.erase_rule(rule);
    for (const std::string& listener : listeners) draft.erase_listener(listener);
    draft.erase_load_balancer(arn);
    return {};
  });
}

}  // namespace weir::control
