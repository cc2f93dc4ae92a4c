// Numeric addresses and CIDR ranges, as values to compare.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::routing {

// IPv4 is kept as IPv6's ::ffff:a.b.c.d, so that a peer seen through a v6 socket equals itself.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  bool operator==(const IpAddress&) const = default;

  // The first so many bits of 128, the rest zero.
  [[nodiscard]] IpAddress network(unsigned prefix_bits) const;
};

class IpRange {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or an address alone.
  [[nodiscard]] static std::optional<IpRange> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] const IpAddress& address() const { return network_; }  // as given, not cut
  [[nodiscard]] unsigned prefix_bits() const { return prefix_bits_; }

 private:
  IpAddress network_;
  unsigned prefix_bits_ = 0;  // of 128
};

}  // namespace weir::routing
