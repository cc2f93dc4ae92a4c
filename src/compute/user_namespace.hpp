// Rootless: the holder becomes root of a user namespace of its own.
//
// The holder unshares; a child that stayed outside gives the map, through newuidmap and newgidmap
// where the user has a range in /etc/subuid (reference platform §2). Without a range only the
// user's own id exists inside: degraded, but enough for an instance that runs as root alone.
#pragma once

#include <string>

#include "base/result.hpp"

namespace weir::compute {

struct UserNamespace {
  bool has_uid_range = false;
  std::string reason;  // where it has none: why, and what to do
};

// Moves this process into new user, network and mount namespaces. Single-threaded callers only.
// Errors: "NoNamespaces" with the kernel setting that forbids it, "NoUidmap".
[[nodiscard]] Result<UserNamespace> enter_user_namespace();

// Root: a mount namespace of its own, so that the machine's mount table stays clean.
Status enter_mount_namespace();

}  // namespace weir::compute
