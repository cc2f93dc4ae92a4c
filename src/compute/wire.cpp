#include "compute/wire.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace weir::compute {

Result<std::pair<Fd, Fd>> packet_socket_pair() {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail_errno("cannot make a socket pair", errno);
  }
  return std::pair{Fd(pair[0]), Fd(pair[1])};
}

void prepare_packet_socket(int socket) {
  // The kernel doubles the value and caps it at wmem_max; the default on every Linux of the last
  // decade, 208 KiB, gives 416 KiB. Where it is less, the largest packets fail with EMSGSIZE.
  const int bytes = static_cast<int>(packet_bytes_max) + 4096;
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

Status send_packet(int socket, std::string_view bytes, std::span<const int> fds) {
  if (bytes.size() > packet_bytes_max || fds.size() > packet_fds_max) {
    return fail("MessageTooLarge", "a message to or from the holder is too large");
  }
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(packet_fds_max * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return fail_errno("cannot send to the other side", errno);
  }
  return {};
}

namespace {

std::vector<Fd> take_fds(msghdr& message) {
  std::vector<Fd> fds;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

Result<Packet> receive_packet(int socket) {
  thread_local const std::unique_ptr<char[]> buffer(new char[packet_bytes_max]);
  iovec part{buffer.get(), packet_bytes_max};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(packet_fds_max * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = -1;
  do {
    size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return fail_errno("cannot receive from the other side", errno);
  Packet packet;
  packet.fds = take_fds(message);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return fail("MessageTooLarge", "the other side sent a message that is too large");
  }
  if (size == 0) return fail("PeerClosed", "the connection was closed");
  packet.bytes.assign(buffer.get(), static_cast<std::size_t>(size));
  return packet;
}

Result<unsigned> peer_uid(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return fail_errno("cannot tell who is at the other end of a socket", errno);
  }
  return peer.uid;
}

}  // namespace weir::compute
