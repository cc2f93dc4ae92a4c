// Where the compute part keeps what in the state folder, and the names it takes on the host.
//
// Several daemons live side by side, each with a folder of its own: whatever is visible beyond the
// folder (bridge, nftables table, cgroup) carries a tag derived from the folder's path.
#pragma once

#include <string>

#include "base/result.hpp"

namespace weir::compute {

struct Layout {
  std::string state_dir;  // absolute
  std::string tag;        // 6 hexadecimal digits

  // Refuses paths that cannot be used as an option of an overlay mount.
  [[nodiscard]] static Result<Layout> of(const std::string& state_dir);

  [[nodiscard]] std::string lock_file() const { return state_dir + "/holder.lock"; }
  [[nodiscard]] std::string log_file() const { return state_dir + "/holder.log"; }
  [[nodiscard]] std::string runtime_root() const { return state_dir + "/run/runc"; }
  [[nodiscard]] std::string boot_dir() const { return state_dir + "/boot"; }
  [[nodiscard]] std::string instances_dir() const { return state_dir + "/instances"; }
  // `id` must have been validated: it becomes part of a path.
  [[nodiscard]] std::string instance_dir(const std::string& id) const {
    return instances_dir() + "/" + id;
  }
  [[nodiscard]] std::string bridge() const { return "weir" + tag; }
  [[nodiscard]] std::string host_table() const { return "weir" + tag; }
  [[nodiscard]] std::string cgroup() const { return "/weir-" + tag; }
};

// The name of the holder's socket in the state folder.
inline constexpr const char* holder_socket_name = "holder.sock";

// Files of an instance's folder.
inline constexpr const char* console_file = "console.log";
inline constexpr const char* status_file = "status";
inline constexpr const char* record_file = "process";  // pid and start time, for adoption
inline constexpr const char* runtime_log_file = "runtime.log";

}  // namespace weir::compute
