// IPv4 addresses and ranges, as numbers in host order. Pure; what is text comes from outside and is
// parsed strictly: four decimal octets without leading zeros, so that no two readers can differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::model {

class Ipv4 {
 public:
  constexpr Ipv4() = default;
  constexpr explicit Ipv4(std::uint32_t value) : value_(value) {}

  // nullopt unless `text` is exactly one address.
  [[nodiscard]] static std::optional<Ipv4> parse(std::string_view text);

  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const Ipv4&) const = default;

 private:
  std::uint32_t value_ = 0;
};

class Cidr {
 public:
  constexpr Cidr() = default;
  // Host bits of `address` are cleared.
  Cidr(Ipv4 address, int prefix);

  // "172.31.0.5/16" → 172.31.0.0/16, as EC2 canonicalises. The prefix is required.
  [[nodiscard]] static Result<Cidr> parse(std::string_view text);

  [[nodiscard]] Ipv4 network() const { return network_; }
  [[nodiscard]] int prefix() const { return prefix_; }
  // 1 … 2^32
  [[nodiscard]] std::uint64_t size() const { return std::uint64_t{1} << (32 - prefix_); }
  // The n-th address of the range; n < size().
  [[nodiscard]] Ipv4 at(std::uint64_t n) const;
  [[nodiscard]] bool contains(Ipv4 address) const;
  [[nodiscard]] bool contains(const Cidr& other) const;
  [[nodiscard]] bool overlaps(const Cidr& other) const;
  // The n-th range of length `prefix` inside this one; it must be one.
  [[nodiscard]] Cidr subnet(int prefix, std::uint32_t n) const;
  [[nodiscard]] std::string to_string() const;
  bool operator==(const Cidr&) const = default;

 private:
  Ipv4 network_;
  int prefix_ = 0;
};

// "2001:DB8::1/32" → "2001:db8::/32". IPv6 ranges are only ever handed on, so text is enough.
[[nodiscard]] Result<std::string> canonical_cidr_v6(std::string_view text);

}  // namespace weir::model
