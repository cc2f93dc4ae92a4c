// `weir up` and `weir down`, the daemon's side: a stack is made or removed, and the answer is given
// when that is in force for traffic.
#pragma once

#include "daemon/control_socket.hpp"
#include "daemon/json.hpp"
#include "daemon/parts.hpp"

namespace weir::daemon {

[[nodiscard]] Result<Json> run_up(Parts& parts, const Json& request, Session& session);
[[nodiscard]] Result<Json> run_down(Parts& parts, const Json& request, Session& session);

}  // namespace weir::daemon
