// What a load balancer stands on: subnets, security groups, and the address of a node in each
// subnet (reference §1.1).
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/registry.hpp"

namespace weir::control {

Status check_ip_address_type(const std::string& type);
// `id` may be empty: none.
Status check_ipam_pool(const std::string& id);

// In the order given; of one VPC, at least two, each in a zone of its own.
[[nodiscard]] Result<std::vector<const model::Subnet*>> find_subnets(
    const State& state, const std::vector<std::string>& ids);

// `ids`, all of which exist in the VPC; the VPC's default group where there are none.
[[nodiscard]] Result<std::vector<std::string>> find_security_groups(
    const State& state, const std::string& vpc_id, const std::vector<std::string>& ids);

// A node in each subnet: the one that `old` has there, else one with a free address.
[[nodiscard]] Result<std::vector<model::LoadBalancerNode>> make_nodes(
    const State& state, const std::vector<const model::Subnet*>& subnets,
    const std::vector<model::LoadBalancerNode>& old);

}  // namespace weir::control
