#include "control/addresses.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"

namespace weir::control {
namespace {

constexpr std::uint64_t reserved_at_start = 4;
constexpr std::uint64_t reserved_at_end = 1;

model::Cidr range_of(const std::string& cidr) {
  const auto range = model::Cidr::parse(cidr);
  WEIR_ASSERT(range.has_value());  // the control plane made it
  return *range;
}

}  // namespace

FreeAddresses::FreeAddresses(const State& state, const model::Subnet& subnet)
    : subnet_id_(subnet.id), range_(range_of(subnet.cidr)), next_(reserved_at_start) {
  const auto take_out = [&](const std::string& text) {
    const auto address = model::Ipv4::parse(text);
    if (address && range_.contains(*address)) used_.insert(address->value());
  };
  for (const auto& [id, instance] : state.instances) {
    if (instance.state != model::InstanceState::terminated) take_out(instance.private_ip);
  }
  for (const auto& [arn, load_balancer] : state.load_balancers) {
    for (const model::LoadBalancerNode& node : load_balancer.nodes) take_out(node.private_ip);
  }
}

Result<std::string> FreeAddresses::take() {
  for (; next_ + reserved_at_end < range_.size(); ++next_) {
    const model::Ipv4 address = range_.at(next_);
    if (used_.insert(address.value()).second) return address.to_string();
  }
  return fail("InsufficientFreeAddressesInSubnet",
              fmt::format("There are not enough free addresses in subnet '{}'.", subnet_id_));
}

bool FreeAddresses::is_free(model::Ipv4 address) const {
  if (!range_.contains(address)) return false;
  const std::uint64_t offset = address.value() - range_.network().value();
  return offset >= reserved_at_start && offset + reserved_at_end < range_.size() &&
         !used_.contains(address.value());
}

std::uint64_t FreeAddresses::count() const {
  const std::uint64_t usable = range_.size() > reserved_at_start + reserved_at_end
                                   ? range_.size() - reserved_at_start - reserved_at_end
                                   : 0;
  return usable > used_.size() ? usable - used_.size() : 0;
}

const model::Subnet* subnet_of(const State& state, const std::string& vpc_id, model::Ipv4 address) {
  for (const auto& [id, subnet] : state.subnets) {
    if (subnet.vpc_id == vpc_id && range_of(subnet.cidr).contains(address)) return &subnet;
  }
  return nullptr;
}

const model::Vpc* default_vpc(const State& state) {
  for (const auto& [id, vpc] : state.vpcs) {
    if (vpc.is_default) return &vpc;
  }
  return nullptr;
}

}  // namespace weir::control
