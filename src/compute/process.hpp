// Child processes of the holder: starting them, waiting for them, and recognising a process again.
//
// The holder is a subreaper: besides the runtimes that it starts, the first processes of instances
// become its children, and whatever orphans they leave. So one place reaps, at SIGCHLD, and hands
// the exit status to whoever waits for that process.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::compute {

struct Command {
  std::string program;                   // a path
  std::vector<std::string> argv;         // argv[0] included
  std::vector<std::string> environment;  // "NAME=value"; nothing is inherited
  // The child's descriptors 0, 1, 2, …; borrowed. -1: /dev/null.
  std::vector<int> fds = {-1, -1, -1};
  bool new_session = false;
};

// Starts a process with default signal handling. Descriptors beyond `fds` are closed in it.
[[nodiscard]] Result<pid_t> start_process(const Command& command);

// 0 to 255, or 128 + the signal that ended it.
[[nodiscard]] int exit_status_of(int wait_status);

class Children {
 public:
  // Starts a process and waits for its end; returns its exit status. Any thread.
  Result<int> run(const Command& command);
  // Starts a process, and watches it as below.
  Result<pid_t> start(const Command& command, std::function<void(int exit_status)> ended);

  // Calls `ended` once with the exit status of `pid`, a child of this process; from reap(), or at
  // once if it has ended already. It must not call Children.
  void watch(pid_t pid, std::function<void(int exit_status)> ended);

  // Reaps all children that have ended. To be called at SIGCHLD, from one thread.
  void reap();

 private:
  std::mutex mutex_;
  std::map<pid_t, std::function<void(int)>> watched_;
  // Ended before anybody asked: an instance's first process may be gone before its pid is known.
  std::deque<std::pair<pid_t, int>> unclaimed_;
};

// A process that can be recognised after a restart: the pid alone may have been used again.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // field 22 of /proc/PID/stat
};

[[nodiscard]] Result<ProcessIdentity> identify(pid_t pid);
// A pidfd of the process, if it is still the same one.
[[nodiscard]] std::optional<Fd> open_process(const ProcessIdentity& identity);
void signal_process(int pidfd, int signal);
// Waits until the process has ended, at most `timeout_ms`.
[[nodiscard]] bool wait_for_end(int pidfd, int timeout_ms);

// A program in PATH, or in the folders where a user's PATH may not look; a path stays as it is.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);

}  // namespace weir::compute
