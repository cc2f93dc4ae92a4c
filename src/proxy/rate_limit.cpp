#include "proxy/rate_limit.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "proxy/header_lookup.hpp"

namespace weir::proxy {
namespace {

// What a bucket is known by: a letter that tells the kinds apart, then the value, cut where a
// longer one would only cost time.
struct Key {
  static constexpr std::size_t bytes_max = 256;
  std::array<char, bytes_max> bytes;
  std::size_t size = 0;

  Key(char kind, std::string_view value) {
    bytes[0] = kind;
    const std::size_t part = std::min(value.size(), bytes_max - 1);
    std::copy_n(value.data(), part, bytes.data() + 1);
    size = part + 1;
  }
  [[nodiscard]] std::string_view view() const { return {bytes.data(), size}; }
};

// `ip` is a view into a string that a NUL ends, as ClientConnection keeps it.
Key key_of_source(std::string_view ip) {
  if (ip.find(':') == std::string_view::npos) return {'4', ip};
  std::array<char, 16> address{};
  if (inet_pton(AF_INET6, ip.data(), address.data()) != 1) return {'4', ip};
  constexpr std::size_t prefix_bytes = 8;
  return {'6', {address.data(), prefix_bytes}};
}

}  // namespace

std::int64_t seconds_over_rate(const routing::RateLimit& rate_limit,
                               traffic::RateLimiter::Lane& lane, const http::RequestHead& head,
                               std::string_view client_ip, std::int64_t now_ms) {
  constexpr std::int64_t second_ns = 1'000'000'000;
  const http::Header* header =
      rate_limit.header_name.empty() ? nullptr : find_header(head.headers, rate_limit.header_name);
  const Key key = header == nullptr ? key_of_source(client_ip) : Key('h', header->value);
  return (lane.take(key.view(), now_ms * 1'000'000) + second_ns - 1) / second_ns;
}

}  // namespace weir::proxy
