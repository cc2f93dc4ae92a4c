// The instance types that Weir knows, with AWS's figures (reference §9.8).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weir::model {

struct InstanceType {
  std::string_view name;
  int vcpus;
  std::uint64_t memory_mib;
  std::uint64_t ebs_bytes_per_second;     // 0: not EBS-optimised, no limit of its own
  std::uint64_t network_bits_per_second;  // base; 0: no number at AWS
  bool is_burstable;
  int baseline_percent_per_vcpu;  // burstable types; else 100
};

[[nodiscard]] std::span<const InstanceType> instance_types();

// nullptr where Weir has no such type.
[[nodiscard]] const InstanceType* find_instance_type(std::string_view name);

}  // namespace weir::model
