// Packets with descriptors over a SOCK_SEQPACKET Unix socket: the way between daemon and holder.
//
// One packet is one message; the kernel keeps the borders. The peer is the same user, yet nothing
// is believed: sizes are bounded, a truncated packet is an error, descriptors are close-on-exec.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::compute {

inline constexpr std::size_t packet_bytes_max = 256 * 1024;
inline constexpr std::size_t packet_fds_max = 64;

struct Packet {
  std::string bytes;
  std::vector<Fd> fds;
};

// Two connected sockets.
[[nodiscard]] Result<std::pair<Fd, Fd>> packet_socket_pair();
// Makes room in the socket's send buffer for the largest packet. Once per socket.
void prepare_packet_socket(int socket);

// Blocks while the peer's queue is full (bounded by SO_SNDTIMEO where set). Descriptors are
// borrowed.
Status send_packet(int socket, std::string_view bytes, std::span<const int> fds = {});

// Blocks for a packet. Error "PeerClosed" at the end of the connection.
[[nodiscard]] Result<Packet> receive_packet(int socket);

// The user at the other end, as seen in this process's user namespace.
[[nodiscard]] Result<unsigned> peer_uid(int socket);

}  // namespace weir::compute
