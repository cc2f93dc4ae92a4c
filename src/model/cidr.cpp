#include "model/cidr.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/assert.hpp"

namespace weir::model {
namespace {

constexpr std::uint32_t mask_of(int prefix) {
  return prefix == 0 ? 0U : ~std::uint32_t{0} << (32 - prefix);
}

// A decimal number without sign and leading zeros, at most `max`, that fills all of `text`.
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t max) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

std::unexpected<Error> bad_cidr(std::string_view text) {
  return fail("InvalidParameterValue", fmt::format("CIDR block {} is malformed", text),
              "Write a range such as 172.31.0.0/16.");
}

}  // namespace

std::optional<Ipv4> Ipv4::parse(std::string_view text) {
  std::uint32_t value = 0;
  for (int octet = 0; octet < 4; ++octet) {
    const std::size_t dot = octet < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const auto number = parse_number(text.substr(0, dot), 255);
    if (!number) return std::nullopt;
    value = value << 8U | *number;
    if (octet < 3) text.remove_prefix(dot + 1);
  }
  return Ipv4(value);
}

std::string Ipv4::to_string() const {
  return fmt::format("{}.{}.{}.{}", value_ >> 24U, value_ >> 16U & 255U, value_ >> 8U & 255U,
                     value_ & 255U);
}

Cidr::Cidr(Ipv4 address, int prefix)
    : network_(address.value() & mask_of(prefix)), prefix_(prefix) {
  WEIR_ASSERT(prefix >= 0 && prefix <= 32);
}

Result<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return bad_cidr(text);
  const auto address = Ipv4::parse(text.substr(0, slash));
  const auto prefix = parse_number(text.substr(slash + 1), 32);
  if (!address || !prefix) return bad_cidr(text);
  return Cidr(*address, static_cast<int>(*prefix));
}

Ipv4 Cidr::at(std::uint64_t n) const {
  WEIR_ASSERT(n < size());
  return Ipv4(network_.value() + static_cast<std::uint32_t>(n));
}

bool Cidr::contains(Ipv4 address) const {
  return (address.value() & mask_of(prefix_)) == network_.value();
}

bool Cidr::contains(const Cidr& other) const {
  return other.prefix_ >= prefix_ && contains(other.network_);
}

bool Cidr::overlaps(const Cidr& other) const { return contains(other) || other.contains(*this); }

Cidr Cidr::subnet(int prefix, std::uint32_t n) const {
  WEIR_ASSERT(prefix >= prefix_ && prefix <= 32);
  const std::uint64_t step = std::uint64_t{1} << (32 - prefix);
  return Cidr(at(n * step), prefix);
}

std::string Cidr::to_string() const { return fmt::format("{}/{}", network_.to_string(), prefix_); }

Result<std::string> canonical_cidr_v6(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash > INET6_ADDRSTRLEN) return bad_cidr(text);
  const auto prefix = parse_number(text.substr(slash + 1), 128);
  std::array<unsigned char, 16> bytes{};
  const std::string address(text.substr(0, slash));
  if (!prefix || inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return bad_cidr(text);
  for (unsigned bit = *prefix; bit < 128; ++bit) {
    bytes[bit / 8] &= static_cast<unsigned char>(~(0x80U >> (bit % 8)));
  }
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
  return fmt::format("{}/{}", out.data(), *prefix);
}

}  // namespace weir::model
