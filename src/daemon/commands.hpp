// The commands of the control socket: a request line in, the last line for the client out.
//
// A request is {"command": …, "version": …, arguments}; the answer {"result": …} or
// {"error": {"code", "message", "hint"}}, with {"event": …} lines before it where something takes
// its time. A command whose changes bear on traffic answers when they are in force.
#pragma once

#include <string>

#include "daemon/control_socket.hpp"
#include "daemon/parts.hpp"

namespace weir::daemon {

// Any thread. Never throws: what a request gets wrong is answered as an error.
[[nodiscard]] std::string run_command(Parts& parts, const std::string& request, Session& session);

}  // namespace weir::daemon
