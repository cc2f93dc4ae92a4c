// A file of its own, since <linux/tcp.h>, which has this figure, cannot be included beside
// <netinet/tcp.h>, which has not.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/socket.hpp"

namespace weir::net {

std::uint64_t bytes_acknowledged(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_bytes_acked;
}

}  // namespace weir::net
