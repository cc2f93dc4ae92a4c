// The programs that Weir carries in itself for its instances, so that it stays one file.
#pragma once

#include <string_view>

namespace weir::compute::boot {

[[nodiscard]] std::string_view init_program();         // weir-init, static
[[nodiscard]] std::string_view cluster_app_program();  // apps/cluster-app.cpp, static

}  // namespace weir::compute::boot
