// What compute must know of an instance, derived from the state: pure functions.
#pragma once

#include <string>
#include <vector>

#include "compute/compute.hpp"
#include "compute/metadata.hpp"
#include "control/registry.hpp"

namespace weir::control {

// The rules of all groups of the instance. A group as peer becomes the addresses of its members:
// instances that are not terminated, and load balancer nodes. Rules for IPv6 and rules whose group
// has no member open nothing and are left out: an empty list of peers could be read as "anyone".
[[nodiscard]] compute::Firewall resolve_firewall(const State& state,
                                                 const model::Instance& instance);
[[nodiscard]] bool is_same(const compute::Firewall& a, const compute::Firewall& b);

// Its subnet, VPC and type must exist.
[[nodiscard]] compute::InstanceSpec make_spec(const State& state, const model::Instance& instance);

[[nodiscard]] compute::MetadataDocument make_document(const State& state,
                                                      const model::Instance& instance,
                                                      const std::string& region,
                                                      const std::string& account);

// The addresses of all load balancers' nodes, sorted.
[[nodiscard]] std::vector<std::string> node_addresses(const State& state);

// The VPC's own address on the bridge: the first one after the network's.
[[nodiscard]] std::string gateway_of(const std::string& vpc_cidr);

}  // namespace weir::control
