// The commands that act on instances: list, stop, start, reboot, terminate, logs, exec.
#pragma once

#include "daemon/control_socket.hpp"
#include "daemon/json.hpp"
#include "daemon/parts.hpp"

namespace weir::daemon {

[[nodiscard]] Result<Json> run_instances_list(Parts& parts, const Json& request, Session& session);
[[nodiscard]] Result<Json> run_instances_action(Parts& parts, const Json& request,
                                                Session& session);
[[nodiscard]] Result<Json> run_logs(Parts& parts, const Json& request, Session& session);
[[nodiscard]] Result<Json> run_exec(Parts& parts, const Json& request, Session& session);

}  // namespace weir::daemon
