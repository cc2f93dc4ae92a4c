// How many of what an account may have (reference §8.6), as data: the numbers that the verbs hold
// to and those that DescribeAccountLimits tells are the same.
//
// Weir's own numbers are raised to what one machine carries; AWS's are there for rehearsing a
// deployment (`weir serve --limits aws`).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace weir::control {

struct Limits {
  std::size_t load_balancers;
  std::size_t target_groups;
  std::size_t listeners_per_load_balancer;
  std::size_t rules_per_load_balancer;  // without the default ones
  std::size_t target_groups_per_load_balancer;
  std::size_t targets_per_load_balancer;
  std::size_t targets_per_target_group;
  std::size_t registrations_of_a_target_per_load_balancer;
  std::size_t certificates_per_load_balancer;
  std::size_t trust_stores;
  std::size_t revocations_per_trust_store;
  std::size_t revocation_entries_per_trust_store;
  std::size_t ca_certificates_per_trust_store;
  int capacity_units;
  int capacity_decreases_per_day;
};

[[nodiscard]] const Limits& raised_limits();
[[nodiscard]] const Limits& aws_limits();
// "raised" or "aws"; nullptr: neither.
[[nodiscard]] const Limits* limits_named(std::string_view name);

struct LimitName {
  std::string_view name;  // as DescribeAccountLimits has it
  std::size_t (*value)(const Limits& limits);
};
[[nodiscard]] std::span<const LimitName> limit_names();

}  // namespace weir::control
