// Load balancers: reference §1.1–§1.5.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "control/addresses.hpp"
#include "control/arn.hpp"
#include "control/elb.hpp"
#include "control/references.hpp"
#include "model/attributes.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

constexpr std::size_t dns_number_digits = 10;
constexpr std::uint64_t free_addresses_min = 8;
constexpr int subnet_prefix_max = 27;

Status validate(const CreateLoadBalancerInput& input) {
  if (auto valid = model::validate_load_balancer_name(input.name); !valid) return valid;
  if (input.scheme != "internet-facing" && input.scheme != "internal") {
    return fail("InvalidScheme",
                fmt::format("Load balancer scheme '{}' must be 'internet-facing' or 'internal'",
                            input.scheme));
  }
  if (input.ip_address_type == "dualstack" ||
      input.ip_address_type == "dualstack-without-public-ipv4") {
    return fail("InvalidConfigurationRequest",
                fmt::format("The IP address type '{}' is not supported by this version of Weir",
                            input.ip_address_type),
                "Use 'ipv4'. (The names of load balancers answer on ::1 as well.)");
  }
  if (input.ip_address_type != "ipv4") {
    return fail("ValidationError",
                fmt::format("1 validation error detected: Value '{}' at 'ipAddressType' failed to "
                            "satisfy constraint: Member must satisfy enum value set: "
                            "[ipv4, dualstack, dualstack-without-public-ipv4]",
                            input.ip_address_type));
  }
  if (auto valid = model::validate_load_balancer_attributes(input.attributes); !valid) {
    return valid;
  }
  return model::validate_tags(input.tags);
}

Result<std::vector<const model::Subnet*>> find_subnets(const State& state,
                                                       const std::vector<std::string>& ids) {
  std::vector<const model::Subnet*> subnets;
  std::set<std::string> zones;
  for (const std::string& id : ids) {
    const auto found = state.subnets.find(id);
    if (found == state.subnets.end()) {
      return fail("SubnetNotFound", fmt::format("The subnet ID '{}' does not exist", id));
    }
    const model::Subnet& subnet = found->second;
    if (!subnets.empty() && subnets.front()->vpc_id != subnet.vpc_id) {
      return fail("InvalidSubnet", "All subnets of a load balancer must belong to the same VPC");
    }
    if (!zones.insert(subnet.zone).second) {
      return fail("InvalidConfigurationRequest",
                  "A load balancer cannot be attached to multiple subnets in the same Availability "
                  "Zone");
    }
    subnets.push_back(&subnet);
  }
  if (zones.size() < 2) {
    return fail("ValidationError",
                "At least two subnets in two different Availability Zones must be specified");
  }
  return subnets;
}

Result<std::vector<std::string>> find_security_groups(const State& state, const std::string& vpc_id,
                                                      const std::vector<std::string>& ids) {
  if (ids.empty()) {
    const model::SecurityGroup* group = default_security_group(state, vpc_id);
    if (group == nullptr) {
      return fail("InvalidSecurityGroup",
                  fmt::format("The VPC '{}' has no default security group", vpc_id));
    }
    return std::vector<std::string>{group->id};
  }
  for (const std::string& id : ids) {
    const auto found = state.security_groups.find(id);
    if (found == state.security_groups.end()) {
      return fail("InvalidSecurityGroup", fmt::format("Security group '{}' does not exist", id));
    }
    if (found->second.vpc_id != vpc_id) {
      return fail("InvalidConfigurationRequest",
                  fmt::format("Security group '{}' does not belong to VPC '{}'", id, vpc_id));
    }
  }
  return ids;
}

Result<std::vector<model::LoadBalancerNode>> make_nodes(
    const State& state, const std::vector<const model::Subnet*>& subnets) {
  std::vector<model::LoadBalancerNode> nodes;
  for (const model::Subnet* subnet : subnets) {
    FreeAddresses free(state, *subnet);
    if (model::Cidr::parse(subnet->cidr)->prefix() > subnet_prefix_max ||
        free.count() < free_addresses_min) {
      return fail("InvalidSubnet",
                  fmt::format("Not enough IP space available in {}. ELB requires at least {} free "
                              "IP addresses in each subnet, which must be /{} or larger.",
                              subnet->id, free_addresses_min, subnet_prefix_max));
    }
    auto address = free.take();
    if (!address) return std::unexpected(address.error());
    nodes.push_back({subnet->zone, subnet->id, std::move(*address)});
  }
  return nodes;
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
         old.attributes == input.attributes && old.tags == input.tags;
}

const model::LoadBalancer* find_by_name(const State& state, const std::string& name) {
  for (const auto& [arn, load_balancer] : state.load_balancers) {
    if (load_balancer.name == name) return &load_balancer;
  }
  return nullptr;
}

std::string make_dns_name(const Registry& registry, const CreateLoadBalancerInput& input) {
  return fmt::format("{}{}-{}.{}.elb.localhost", input.scheme == "internal" ? "internal-" : "",
                     input.name, random_decimal(dns_number_digits), registry.region());
}

}  // namespace

Elb::Elb(Registry& registry, DataPlane& data_plane)
    : registry_(registry), data_plane_(data_plane) {}

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
    auto nodes = make_nodes(state, *subnets);
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
