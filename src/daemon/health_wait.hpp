// Waiting until the targets of a stack are healthy, and knowing when that will not happen.
#pragma once

#include <chrono>
#include <string>

#include "base/result.hpp"
#include "daemon/control_socket.hpp"
#include "daemon/parts.hpp"

namespace weir::daemon {

struct HealthOutcome {
  int healthy = 0;
  int total = 0;  // targets that are in use
  double first_healthy_ms = 0;
};

// Sends a progress event for each change. Errors: "TargetsUnhealthy" with the reasons, as soon as
// an instance has ended or its user data has failed, at the latest after `timeout`; "Stopping".
[[nodiscard]] Result<HealthOutcome> wait_until_healthy(Parts& parts, const std::string& stack,
                                                       std::chrono::milliseconds timeout,
                                                       Session& session);

}  // namespace weir::daemon
