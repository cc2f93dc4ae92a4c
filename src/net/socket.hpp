// Making sockets.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "net/loop.hpp"

namespace weir::net {

// A non-blocking, close-on-exec TCP socket of the address's family.
[[nodiscard]] Result<Fd> tcp_socket(int family);

// A listening socket, SO_REUSEADDR; `reuse_port` where several loops listen on one address.
// IPv6 sockets are v6-only. Errors keep errno in the code: "EADDRINUSE", "EACCES", else
// SystemError.
[[nodiscard]] Result<Fd> tcp_listen(const Address& address, bool reuse_port, int backlog = 4096);

// Connections of this socket go out from the given address, whose port is chosen while connecting.
// Where the address cannot be had, the kernel chooses one as it does without this.
void set_source(int fd, const Address& source);

// The address a socket is bound to / connected to.
[[nodiscard]] Result<Address> local_address(int fd);
[[nodiscard]] Result<Address> peer_address(int fd);

// Bytes that the peer has acknowledged so far: whether a slow one still takes what it is sent. 0
// where the kernel does not tell.
[[nodiscard]] std::uint64_t bytes_acknowledged(int socket);

// Bytes that have arrived and wait to be received.
[[nodiscard]] std::size_t bytes_unread(int socket);

}  // namespace weir::net
