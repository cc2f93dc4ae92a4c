// The holder's socket in the state folder, from both sides. A path of any length fits: the socket
// is named relative to the open folder, since a socket's address holds 107 bytes only.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::compute {

// Listens, readable and writable for this user alone; replaces a socket that an earlier holder
// left. To be called under the holder's lock.
[[nodiscard]] Result<Fd> listen_in(const std::string& state_dir);

// Connects and makes sure that the other end is this user's. Error "NoHolder" where none listens.
[[nodiscard]] Result<Fd> connect_in(const std::string& state_dir);

}  // namespace weir::compute
