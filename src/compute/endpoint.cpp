#include "compute/endpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "compute/layout.hpp"
#include "compute/wire.hpp"

namespace weir::compute {
namespace {

constexpr int backlog = 16;

struct Place {
  Fd folder;
  sockaddr_un address{};
};

Result<Place> place_in(const std::string& state_dir) {
  Place place;
  place.folder = Fd(open(state_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place.folder) return fail_errno("cannot open " + state_dir, errno);
  place.address.sun_family = AF_UNIX;
  const std::string path =
      fmt::format("/proc/self/fd/{}/{}", place.folder.get(), holder_socket_name);
  std::memcpy(place.address.sun_path, path.c_str(), path.size() + 1);
  return place;
}

Result<Fd> packet_socket() {
  Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("cannot make a socket", errno);
  prepare_packet_socket(fd.get());
  return fd;
}

}  // namespace

Result<Fd> listen_in(const std::string& state_dir) {
  auto place = place_in(state_dir);
  if (!place) return std::unexpected(place.error());
  auto fd = packet_socket();
  if (!fd) return fd;
  unlinkat(place->folder.get(), holder_socket_name, 0);
  const mode_t before = umask(0177);
  const int bound =
      bind(fd->get(), reinterpret_cast<const sockaddr*>(&place->address), sizeof place->address);
  const int bind_error = errno;
  umask(before);
  if (bound != 0) return fail_errno("cannot make the holder's socket", bind_error);
  if (listen(fd->get(), backlog) != 0) return fail_errno("cannot listen", errno);
  return fd;
}

Result<Fd> connect_in(const std::string& state_dir) {
  auto place = place_in(state_dir);
  if (!place) return std::unexpected(place.error());
  auto fd = packet_socket();
  if (!fd) return fd;
  if (connect(fd->get(), reinterpret_cast<const sockaddr*>(&place->address),
              sizeof place->address) != 0) {
    return fail("NoHolder", "no holder listens in " + state_dir);
  }
  const auto uid = peer_uid(fd->get());
  if (!uid) return std::unexpected(uid.error());
  if (*uid != geteuid()) {
    return fail("HolderFailed", "the holder of " + state_dir + " belongs to another user",
                "use a state folder of your own: --state DIR");
  }
  return fd;
}

}  // namespace weir::compute
