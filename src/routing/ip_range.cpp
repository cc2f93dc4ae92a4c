#include "routing/ip_range.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weir::routing {
namespace {

constexpr unsigned v4_mapped_bits = 96;

bool is_v4_text(std::string_view text) { return text.find(':') == std::string_view::npos; }

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof terminated) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated);
  IpAddress out;
  if (!is_v4_text(text)) {
    if (inet_pton(AF_INET6, terminated, out.bytes.data()) != 1) return std::nullopt;
    return out;
  }
  out.bytes[10] = out.bytes[11] = 0xff;
  if (inet_pton(AF_INET, terminated, out.bytes.data() + 12) != 1) return std::nullopt;
  return out;
}

IpAddress IpAddress::network(unsigned prefix_bits) const {
  IpAddress out;
  const std::size_t whole = prefix_bits / 8;
  std::copy_n(bytes.begin(), whole, out.bytes.begin());
  if (const unsigned rest = prefix_bits % 8; rest != 0)
    out.bytes[whole] = static_cast<std::uint8_t>(bytes[whole] & (0xff00U >> rest));
  return out;
}

std::optional<IpRange> IpRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view address_text = text.substr(0, slash);
  const auto address = IpAddress::parse(address_text);
  if (!address) return std::nullopt;
  IpRange out;
  out.network_ = *address;
  const unsigned base = is_v4_text(address_text) ? v4_mapped_bits : 0;
  out.prefix_bits_ = 128;
  if (slash == std::string_view::npos) return out;
  const std::string_view bits_text = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] =
      std::from_chars(bits_text.data(), bits_text.data() + bits_text.size(), bits);
  const bool is_number = error == std::errc{} && end == bits_text.data() + bits_text.size();
  if (!is_number || bits > 128 - base) return std::nullopt;
  out.prefix_bits_ = base + bits;
  return out;
}

bool IpRange::contains(const IpAddress& address) const {
  const std::size_t whole = prefix_bits_ / 8;
  if (std::memcmp(network_.bytes.data(), address.bytes.data(), whole) != 0) return false;
  const unsigned rest = prefix_bits_ % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xff00U >> rest;
  return ((network_.bytes[whole] ^ address.bytes[whole]) & mask & 0xffU) == 0;
}

}  // namespace weir::routing
