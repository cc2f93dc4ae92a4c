// IPv4 addresses and ranges as numbers in host order: what validation, rulesets and the search for
// clashes calculate with. The VPC has no IPv6.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::compute {

struct Ipv4Range {  // both ends included
  std::uint32_t first = 0;
  std::uint32_t last = 0;

  [[nodiscard]] bool overlaps(const Ipv4Range& other) const {
    return first <= other.last && other.first <= last;
  }
  [[nodiscard]] bool contains(std::uint32_t address) const {
    return first <= address && address <= last;
  }
};

struct Ipv4Cidr {
  std::uint32_t address = 0;  // as written: host bits may be set
  int prefix = 32;

  [[nodiscard]] std::uint32_t mask() const { return prefix == 0 ? 0 : ~0U << (32 - prefix); }
  [[nodiscard]] Ipv4Range range() const { return {address & mask(), address | ~mask()}; }
};

// Strict: four decimal numbers, nothing around them.
[[nodiscard]] std::optional<std::uint32_t> parse_ipv4(std::string_view text);
// "172.31.0.0/16", or an address alone (prefix 32).
[[nodiscard]] std::optional<Ipv4Cidr> parse_ipv4_cidr(std::string_view text);
[[nodiscard]] std::string format_ipv4(std::uint32_t address);

}  // namespace weir::compute
