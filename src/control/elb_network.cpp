#include "control/elb_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "control/addresses.hpp"
#include "control/references.hpp"
#include "model/cidr.hpp"

namespace weir::control {
namespace {

constexpr std::uint64_t free_addresses_min = 8;
constexpr int subnet_prefix_max = 27;
constexpr std::string_view ipam_pool_prefix = "ipam-pool-";

}  // namespace

Status check_ip_address_type(const std::string& type) {
  if (type == "dualstack" || type == "dualstack-without-public-ipv4") {
    return fail(
        "InvalidConfigurationRequest",
        fmt::format("The IP address type '{}' is not supported by this version of Weir", type),
        "Use 'ipv4'. (The names of load balancers answer on ::1 as well.)");
  }
  if (type != "ipv4") {
    return fail("ValidationError",
                fmt::format("1 validation error detected: Value '{}' at 'ipAddressType' failed to "
                            "satisfy constraint: Member must satisfy enum value set: "
                            "[ipv4, dualstack, dualstack-without-public-ipv4]",
                            type));
  }
  return {};
}

Status check_ipam_pool(const std::string& id) {
  if (id.empty()) return {};
  const std::string_view digits = std::string_view(id).substr(
      std::min(id.size(), id.starts_with(ipam_pool_prefix) ? ipam_pool_prefix.size() : id.size()));
  const bool is_id = !digits.empty() && std::ranges::all_of(digits, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  if (is_id) return {};
  return fail("ValidationError",
              fmt::format("1 validation error detected: Value '{}' at 'ipamPools.ipv4IpamPoolId' "
                          "failed to satisfy constraint: Member must satisfy regular expression "
                          "pattern: ^(ipam-pool-)[a-zA-Z0-9]+$",
                          id));
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
    const State& state, const std::vector<const model::Subnet*>& subnets,
    const std::vector<model::LoadBalancerNode>& old) {
  std::vector<model::LoadBalancerNode> nodes;
  for (const model::Subnet* subnet : subnets) {
    const auto kept = std::ranges::find(old, subnet->id, &model::LoadBalancerNode::subnet_id);
    if (kept != old.end()) {
      nodes.push_back(*kept);
      continue;
    }
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

}  // namespace weir::control
