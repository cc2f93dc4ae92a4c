// A daemon in the background: this program again, as `weir serve`, in a session of its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "daemon/daemon.hpp"

namespace weir::cli {

struct StartedDaemon {
  bool was_started = false;  // false: one ran already
  std::vector<std::pair<std::string, double>> timings;
};

// Makes sure that a daemon serves this state folder. Errors are the daemon's own.
[[nodiscard]] Result<StartedDaemon> ensure_daemon(const daemon::ServeOptions& options);

// The same with a daemon's usual options, where the folder holds a state to look after; otherwise
// "NoDaemon".
[[nodiscard]] Result<StartedDaemon> ensure_daemon_of_state(const std::string& state_dir);

// The arguments of `weir serve` that give these options again.
[[nodiscard]] std::vector<std::string> serve_arguments(const daemon::ServeOptions& options);

}  // namespace weir::cli
