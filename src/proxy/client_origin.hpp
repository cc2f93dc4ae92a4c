// Where a client's connection comes from: what is known of it before its first request, and the
// same for all of them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::tls {
class TlsStream;
}

namespace weir::proxy {

struct ClientOrigin {
  std::array<char, 46> ip_text{};  // ends with NUL
  std::uint16_t port = 0;
  std::uint16_t bound_port = 0;  // of this machine, where it came in
  std::uint32_t number = 0;      // of the worker's connections
  std::int64_t accepted_us = 0;  // of the loop's clock
  // Of the connection, where it is one of HTTPS: valid as long as that. nullptr: HTTP.
  const tls::TlsStream* tls = nullptr;

  [[nodiscard]] std::string_view ip() const { return ip_text.data(); }
  [[nodiscard]] bool is_ipv6() const { return ip().find(':') != std::string_view::npos; }
};

// The peer of a connected socket; without an address where it has gone already.
[[nodiscard]] ClientOrigin origin_of(int socket, std::uint16_t bound_port, std::uint32_t number,
                                     std::int64_t accepted_us);

}  // namespace weir::proxy
