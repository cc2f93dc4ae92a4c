#include "net/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <cerrno>

namespace weir::net {
namespace {

std::unexpected<Error> socket_error(const std::string& what, int error) {
  auto out = fail_errno(what, error);
  if (error == EADDRINUSE) out.error().code = "EADDRINUSE";
  if (error == EACCES) out.error().code = "EACCES";
  return out;
}

using NameCall = int (*)(int, sockaddr*, socklen_t*);

Result<Address> name_of(int fd, NameCall call, const char* what) {
  Address out;
  out.length = sizeof out.storage;
  if (call(fd, reinterpret_cast<sockaddr*>(&out.storage), &out.length) != 0)
    return fail_errno(what, errno);
  return out;
}

}  // namespace

Result<Fd> tcp_socket(int family) {
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd) return fail_errno("socket", errno);
  return fd;
}

Result<Fd> tcp_listen(const Address& address, bool reuse_port, int backlog) {
  auto fd = tcp_socket(address.storage.ss_family);
  if (!fd) return fd;
  const int on = 1;
  setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (reuse_port) setsockopt(fd->get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (address.storage.ss_family == AF_INET6)
    setsockopt(fd->get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  // Inherited by accepted sockets, which saves a call for each.
  setsockopt(fd->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::string where = address.ip() + " port " + std::to_string(address.port());
  if (::bind(fd->get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0)
    return socket_error("cannot bind " + where, errno);
  if (::listen(fd->get(), backlog) != 0) return socket_error("cannot listen on " + where, errno);
  return fd;
}

void set_source(int fd, const Address& source) {
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  ::bind(fd, reinterpret_cast<const sockaddr*>(&source.storage), source.length);
}

Result<Address> local_address(int fd) { return name_of(fd, getsockname, "getsockname"); }
Result<Address> peer_address(int fd) { return name_of(fd, getpeername, "getpeername"); }

std::size_t bytes_unread(int socket) {
  int bytes = 0;
  return ioctl(socket, FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

}  // namespace weir::net
