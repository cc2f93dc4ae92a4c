// A command inside an instance, guided from outside: signals reach it and whatever it has started,
// and it does not outlive whoever asked for it.
//
// The one that asked holds the other end of a socket. A byte in it is the number of a signal: of a
// changed window size it goes to the runtime, which hands the size on to the command's terminal;
// any other goes to the command's process group (a runtime makes each command the leader of a
// session of its own). The socket's end means that the one that asked has gone, however it went:
// the command is hung up, and killed a moment later if it stays.
#pragma once

#include <string>

#include "base/result.hpp"
#include "compute/process.hpp"

namespace weir::compute {

// Runs the runtime's `command` and returns its exit status. The runtime writes the number of the
// command's first process to `pid_path`, which is removed at the end. `control` is borrowed.
[[nodiscard]] Result<int> run_controlled(Children& children, const Command& command, int control,
                                         const std::string& pid_path);

}  // namespace weir::compute
