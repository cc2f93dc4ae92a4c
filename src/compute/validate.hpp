// What the holder believes: every value from its socket passes here before it becomes a path, a
// netlink attribute or a line of a ruleset. Errors name the value ("InvalidParameterValue").
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "compute/compute.hpp"

namespace weir::compute {

// "i-" and 8 to 17 lower-case hexadecimal digits.
[[nodiscard]] bool is_instance_id(std::string_view text);
// "02:1a:…": six bytes, unicast.
[[nodiscard]] bool is_mac(std::string_view text);

Status validate_instance_id(const std::string& id);
Status validate(const VpcSpec& spec);
Status validate(const Firewall& firewall);
Status validate(const InstanceSpec& spec);

inline constexpr std::size_t public_key_bytes_max = 16'384;
inline constexpr std::size_t firewall_rules_max = 1'000;  // EC2: 60 a group, 16 groups
inline constexpr std::size_t firewall_peers_max = 8'192;  // a rule; groups resolved to members
inline constexpr std::size_t node_addresses_max = 256;

}  // namespace weir::compute
