// The daemon as the commands see it: one request, its events, one result.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "daemon/json.hpp"

namespace weir::cli {

using daemon::Json;
using EventHandler = std::function<void(const Json& event)>;

// Sends `request` (with this program's version) to the daemon of `state_dir` and waits for the
// result. Errors: "NoDaemon"; "DaemonEnded" where it ended meanwhile; the daemon's own.
[[nodiscard]] Result<Json> call_daemon(const std::string& state_dir, Json request,
                                       const EventHandler& on_event = {},
                                       std::span<const int> fds = {});

// Waits until the daemon's process has ended; false after `timeout_ms`.
[[nodiscard]] bool wait_for_end(int pid, int timeout_ms);

}  // namespace weir::cli
