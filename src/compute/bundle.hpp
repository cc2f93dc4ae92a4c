// The OCI bundle of an instance: config.json as a pure function of what the instance is.
//
// Limits are enforced through it alone (the runtime translates them for cgroup v1 and v2); Weir
// never writes a cgroup file itself (reference platform §0, §1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compute/compute.hpp"

namespace weir::compute {

struct BlockDevice {
  unsigned major = 0;
  unsigned minor = 0;
};

struct BundleInput {
  std::string folder;             // of the instance: /…/instances/i-…
  std::string boot_folder;        // what write_boot_files made
  std::string network_namespace;  // path
  std::string cgroup;             // "/weir-…/i-…"; empty: no limits (rootless)
  bool uses_host_usr = false;
  bool is_user_namespace = false;
  bool has_uid_range = true;
  std::uint64_t open_files_max = 0;  // the hard limit that this process may give
  std::optional<BlockDevice> disk;   // what holds the state folder; none: no EBS limit
};

// What the first process of an instance finds at /run/weir (reference platform §1, first boot).
inline constexpr int status_fd = 3;

[[nodiscard]] std::string render_bundle(const InstanceSpec& spec, const BundleInput& input);

// The whole disk on which `path` lies; none for a file system without one.
[[nodiscard]] std::optional<BlockDevice> disk_of(const std::string& path);

}  // namespace weir::compute
