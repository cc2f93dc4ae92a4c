// What an instance's first process tells the daemon: lines in a file that it got as a descriptor.
//
//   boot <ms>                          it runs
//   user-data started <ms>             first boot with user data only
//   user-data finished <ms> <status>   exit status; 128 + n: killed by signal n
//
// <ms> is the wall clock in milliseconds since 1970. weir-init hands the descriptor to nobody, but
// root inside the instance may still write whatever it likes to the file: the parser believes only
// well-formed lines, and nothing of the text is passed on.
#pragma once

#include <cstddef>
#include <string_view>

#include "compute/compute.hpp"

namespace weir::compute {

// More of the file need not be read: the three lines of the last boot are at its start.
inline constexpr std::size_t status_file_bytes_max = 4096;

// The state of the user data after these lines; lines that are not of the protocol are ignored, as
// is whatever follows the first `finished`.
[[nodiscard]] UserDataStatus parse_status(std::string_view file_content);

}  // namespace weir::compute
