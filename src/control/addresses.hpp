// The private addresses of a subnet: which are free is derived from the state, never kept.
//
// Instances (until they are terminated) and load balancer nodes share a subnet. As in a VPC the
// first four addresses and the last one are reserved (reference §9.5).
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/result.hpp"
#include "control/registry.hpp"
#include "model/cidr.hpp"

namespace weir::control {

class FreeAddresses {
 public:
  FreeAddresses(const State& state, const model::Subnet& subnet);

  // The lowest free address, which is then taken. "InsufficientFreeAddressesInSubnet".
  [[nodiscard]] Result<std::string> take();
  // An address of the subnet that is neither reserved nor in use.
  [[nodiscard]] bool is_free(model::Ipv4 address) const;
  [[nodiscard]] std::uint64_t count() const;

 private:
  std::string subnet_id_;
  model::Cidr range_;
  std::set<std::uint32_t> used_;
  std::uint64_t next_;  // none is free below
};

// The subnet of the VPC that an address lies in; nullptr: none.
[[nodiscard]] const model::Subnet* subnet_of(const State& state, const std::string& vpc_id,
                                             model::Ipv4 address);

// The default VPC; nullptr before Ec2::ensure_default_vpc.
[[nodiscard]] const model::Vpc* default_vpc(const State& state);

}  // namespace weir::control
