#include "daemon/channel.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace weir::daemon {
namespace {

constexpr std::size_t receive_block_bytes = 65'536;
constexpr std::string_view socket_name = "control.sock";

// A Unix address holds 107 bytes and a state folder may lie deeper: the folder's descriptor under
// /proc/self/fd stands for its path.
struct ControlAddress {
  Fd folder;
  sockaddr_un address{};
};

Result<ControlAddress> control_address(const std::string& state_dir) {
  ControlAddress result;
  result.folder = Fd{::open(state_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!result.folder) return fail_errno(fmt::format("cannot open {}", state_dir), errno);
  result.address.sun_family = AF_UNIX;
  const auto path = fmt::format("/proc/self/fd/{}/{}", result.folder.get(), socket_name);
  std::memcpy(result.address.sun_path, path.data(), path.size());
  return result;
}

const sockaddr* as_sockaddr(const ControlAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address.address);
}

std::unexpected<Error> disconnected() {
  return fail("Disconnected", "the connection to the other side has ended");
}

// Descriptors of a received message; more than one message may carry is closed at once.
void take_fds(msghdr& header, std::vector<Fd>& fds) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
      Fd owned{fd};
      if (fds.size() < passed_fds_max) fds.push_back(std::move(owned));
    }
  }
}

}  // namespace

Status Channel::send(std::string_view line, std::span<const int> fds) {
  std::string bytes{line};
  bytes.push_back('\n');
  std::string_view rest = bytes;
  while (!rest.empty()) {
    iovec data{const_cast<char*>(rest.data()), rest.size()};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(passed_fds_max * sizeof(int))> control{};
    if (!fds.empty()) {
      const std::size_t payload = std::min(fds.size(), passed_fds_max) * sizeof(int);
      header.msg_control = control.data();
      header.msg_controllen = CMSG_SPACE(payload);
      cmsghdr* first = CMSG_FIRSTHDR(&header);
      first->cmsg_level = SOL_SOCKET;
      first->cmsg_type = SCM_RIGHTS;
      first->cmsg_len = CMSG_LEN(payload);
      std::memcpy(CMSG_DATA(first), fds.data(), payload);
    }
    const ssize_t sent = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return disconnected();
    }
    rest.remove_prefix(static_cast<std::size_t>(sent));
    fds = {};  // they travel with the first byte
  }
  return {};
}

// False at the end of the stream.
Result<bool> Channel::fill() {
  std::array<char, receive_block_bytes> block;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(passed_fds_max * sizeof(int))> control{};
  iovec data{block.data(), block.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t received = 0;
  do {
    received = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return disconnected();
  take_fds(header, fds_);
  buffered_.append(block.data(), static_cast<std::size_t>(received));
  return received > 0;
}

Result<std::optional<Message>> Channel::receive(std::size_t bytes_max) {
  std::size_t searched = 0;
  while (true) {
    const auto newline = buffered_.find('\n', searched);
    if (newline != std::string::npos && newline <= bytes_max) {
      Message message{buffered_.substr(0, newline), std::move(fds_)};
      buffered_.erase(0, newline + 1);
      fds_.clear();
      return message;
    }
    searched = buffered_.size();
    if (searched > bytes_max) {
      return fail("LineTooLong", fmt::format("a message is longer than {} bytes", bytes_max));
    }
    auto more = fill();
    if (!more) return std::unexpected(more.error());
    if (!*more) {
      if (!buffered_.empty()) return disconnected();
      return std::optional<Message>{};
    }
  }
}

Result<Channel> connect_control(const std::string& state_dir) {
  const auto no_daemon = [&] {
    return fail("NoDaemon", fmt::format("no daemon runs with the state folder {}", state_dir),
                "`weir up` starts one");
  };
  auto address = control_address(state_dir);
  if (!address) return no_daemon();
  Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket) return fail_errno("cannot make a socket", errno);
  if (::connect(socket.get(), as_sockaddr(*address), sizeof(address->address)) != 0) {
    if (errno == EACCES) {
      return fail("StateFolder", fmt::format("the daemon of {} belongs to another user", state_dir),
                  "run weir as that user, or choose another folder with --state DIR");
    }
    return no_daemon();
  }
  return Channel{std::move(socket)};
}

void unlink_control(const std::string& state_dir) {
  ::unlink(fmt::format("{}/{}", state_dir, socket_name).c_str());
}

Result<Fd> listen_control(const std::string& state_dir) {
  auto address = control_address(state_dir);
  if (!address) return std::unexpected(address.error());
  unlink_control(state_dir);
  Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket) return fail_errno("cannot make a socket", errno);
  if (::bind(socket.get(), as_sockaddr(*address), sizeof(address->address)) != 0) {
    return fail_errno(fmt::format("cannot bind {}/{}", state_dir, socket_name), errno);
  }
  if (::fchmodat(address->folder.get(), std::string{socket_name}.c_str(), 0600, 0) != 0 ||
      ::listen(socket.get(), 64) != 0) {
    return fail_errno(fmt::format("cannot listen on {}/{}", state_dir, socket_name), errno);
  }
  return socket;
}

}  // namespace weir::daemon
