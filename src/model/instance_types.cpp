// The table is AWS's own: what DescribeInstanceTypes answers for us-east-1 and the EBS-optimised
// and burstable pages of the EC2 guide. EBS figures are the base bandwidth, as bytes; network is
// the base bandwidth. m4.large and t2.large: reference §9.8.
#include "model/instance_types.hpp"

#include <algorithm>
#include <array>

namespace weir::model {
namespace {

constexpr std::uint64_t mbps_as_bytes(std::uint64_t megabits) { return megabits * 1'000'000 / 8; }
constexpr std::uint64_t mbps(std::uint64_t megabits) { return megabits * 1'000'000; }

constexpr std::uint64_t gib = 1024;

constexpr InstanceType fixed(std::string_view name, int vcpus, std::uint64_t memory_mib,
                             std::uint64_t ebs_mbps, std::uint64_t network_mbps) {
  return {name, vcpus, memory_mib, mbps_as_bytes(ebs_mbps), mbps(network_mbps), false, 100};
}

constexpr InstanceType burstable(std::string_view name, int vcpus, std::uint64_t memory_mib,
                                 std::uint64_t ebs_mbps, std::uint64_t network_mbps,
                                 int baseline_percent_per_vcpu) {
  return {name,
          vcpus,
          memory_mib,
          mbps_as_bytes(ebs_mbps),
          mbps(network_mbps),
          true,
          baseline_percent_per_vcpu};
}

// By name, so that a lookup can be a binary search.
constexpr auto types = std::to_array<InstanceType>({
    fixed("c5.2xlarge", 8, 16 * gib, 2300, 2500),
    fixed("c5.4xlarge", 16, 32 * gib, 4750, 5000),
    fixed("c5.large", 2, 4 * gib, 650, 750),
    fixed("c5.xlarge", 4, 8 * gib, 1150, 1250),
    fixed("m4.2xlarge", 8, 32 * gib, 1000, 1000),
    fixed("m4.4xlarge", 16, 64 * gib, 2000, 2000),
    fixed("m4.large", 2, 8 * gib, 450, 450),
    fixed("m4.xlarge", 4, 16 * gib, 750, 750),
    fixed("m5.2xlarge", 8, 32 * gib, 2300, 2500),
    fixed("m5.4xlarge", 16, 64 * gib, 4750, 5000),
    fixed("m5.large", 2, 8 * gib, 650, 750),
    fixed("m5.xlarge", 4, 16 * gib, 1150, 1250),
    fixed("m6i.2xlarge", 8, 32 * gib, 2500, 3125),
    fixed("m6i.4xlarge", 16, 64 * gib, 5000, 6250),
    fixed("m6i.large", 2, 8 * gib, 650, 781),
    fixed("m6i.xlarge", 4, 16 * gib, 1250, 1562),
    fixed("r5.2xlarge", 8, 64 * gib, 2300, 2500),
    fixed("r5.4xlarge", 16, 128 * gib, 4750, 5000),
    fixed("r5.large", 2, 16 * gib, 650, 750),
    fixed("r5.xlarge", 4, 32 * gib, 1150, 1250),
    burstable("t2.2xlarge", 8, 32 * gib, 0, 1000, 17),
    burstable("t2.large", 2, 8 * gib, 0, 512, 30),
    burstable("t2.medium", 2, 4 * gib, 0, 256, 20),
    burstable("t2.micro", 1, 1 * gib, 0, 64, 10),
    burstable("t2.nano", 1, gib / 2, 0, 32, 5),
    burstable("t2.small", 1, 2 * gib, 0, 128, 20),
    burstable("t2.xlarge", 4, 16 * gib, 0, 750, 22),
    burstable("t3.2xlarge", 8, 32 * gib, 695, 2048, 40),
    burstable("t3.large", 2, 8 * gib, 695, 512, 30),
    burstable("t3.medium", 2, 4 * gib, 347, 256, 20),
    burstable("t3.micro", 2, 1 * gib, 87, 64, 10),
    burstable("t3.nano", 2, gib / 2, 43, 32, 5),
    burstable("t3.small", 2, 2 * gib, 174, 128, 20),
    burstable("t3.xlarge", 4, 16 * gib, 695, 1024, 40),
});

static_assert(std::ranges::is_sorted(types, {}, &InstanceType::name));

}  // namespace

std::span<const InstanceType> instance_types() { return types; }

const InstanceType* find_instance_type(std::string_view name) {
  const auto found = std::ranges::lower_bound(types, name, {}, &InstanceType::name);
  return found != types.end() && found->name == name ? &*found : nullptr;
}

}  // namespace weir::model
