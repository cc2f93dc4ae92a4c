#include "proxy/client_origin.hpp"

#include <algorithm>
#include <string>

#include "net/socket.hpp"

namespace weir::proxy {

ClientOrigin origin_of(int socket, std::uint16_t bound_port, std::uint32_t number,
                       std::int64_t accepted_us) {
  ClientOrigin out;
  out.bound_port = bound_port;
  out.number = number;
  out.accepted_us = accepted_us;
  if (const auto peer = net::peer_address(socket)) {
    const std::string text = peer->ip();
    std::copy_n(text.data(), std::min(text.size(), out.ip_text.size() - 1), out.ip_text.data());
    out.port = peer->port();
  }
  return out;
}

}  // namespace weir::proxy
