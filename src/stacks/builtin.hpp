// The template that `weir up` deploys without a file: examples/two-clusters.yaml, byte for byte,
// put into the program when it is built.
#pragma once

#include <string_view>

namespace weir::stacks {

[[nodiscard]] std::string_view builtin_template();

}  // namespace weir::stacks
