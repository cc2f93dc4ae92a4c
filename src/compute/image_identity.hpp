// The files that tell one instance from another, and programs of ours for all of them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "compute/image.hpp"

namespace weir::compute {

// See personalise() in image.hpp.
Status write_identity(const std::string& root_upper, const Identity& identity);

// The lines of a resolv.conf that an instance can use: name servers that are not on loopback, and
// search, options. Pure.
[[nodiscard]] std::string usable_resolv_conf(std::string_view machine_resolv_conf);

// Writes an executable file, atomically and only where it differs.
Status write_program(const std::string& dir, const std::string& name, std::string_view content);

}  // namespace weir::compute
