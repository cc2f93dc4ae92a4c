// What the daemon gives up once it needs it no more.
//
// The holder does all privileged work; the daemon itself opens sockets only. So, as root, it keeps
// CAP_NET_BIND_SERVICE alone, in every thread, and can gain nothing by executing a program.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace weir::daemon {

// Drops all capabilities but CAP_NET_BIND_SERVICE in all threads of the process, clears the
// bounding set's use by PR_SET_NO_NEW_PRIVS. Threads made later inherit it. Returns what is kept,
// in words. Without effect where the process is not root.
[[nodiscard]] Result<std::string> drop_privileges();

// Raises the soft limit of open files to the hard one; returns it.
std::uint64_t raise_open_files_limit();

}  // namespace weir::daemon
