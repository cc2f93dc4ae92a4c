// The control socket's wire: one JSON object a line, in both directions, descriptors beside a line.
//
// Private between the CLI and the daemon of one version. A line has a bound, so neither side can
// make the other hold more than that; descriptors are owned from the moment they arrive.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::daemon {

inline constexpr std::size_t request_bytes_max = 2U << 20U;  // a template of 1 MiB, escaped
inline constexpr std::size_t reply_bytes_max = 32U << 20U;   // the state of thousands of targets
inline constexpr std::size_t passed_fds_max = 4;  // an exec's stdin, stdout, stderr and control

struct Message {
  std::string line;  // without the newline
  std::vector<Fd> fds;
};

// One end of a connection. One thread reads and one thread writes at a time.
class Channel {
 public:
  explicit Channel(Fd socket) : socket_(std::move(socket)) {}

  // Blocks until all is sent. `line` must not contain a newline. Error "Disconnected" where the
  // other side has gone.
  Status send(std::string_view line, std::span<const int> fds = {});
  // Blocks for the next line; no value at the end. Errors: "LineTooLong", "Disconnected".
  Result<std::optional<Message>> receive(std::size_t bytes_max);

  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  Result<bool> fill();

  Fd socket_;
  std::string buffered_;
  std::vector<Fd> fds_;
};

// Connects to the daemon of this state folder. "NoDaemon" where none listens.
[[nodiscard]] Result<Channel> connect_control(const std::string& state_dir);

// The listening socket of this state folder, mode 0600; one that was left behind is replaced. The
// caller holds the folder's lock.
[[nodiscard]] Result<Fd> listen_control(const std::string& state_dir);
// Takes its name away again. The caller holds the lock still.
void unlink_control(const std::string& state_dir);

}  // namespace weir::daemon
