// The version of this program, as CMakeLists.txt and CHANGELOG.md have it.
#pragma once

#include <string_view>

namespace weir::daemon {

inline constexpr std::string_view weir_version = "0.1.0";

}  // namespace weir::daemon
