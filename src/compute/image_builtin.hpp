// The built-in image, made from this machine.
#pragma once

#include <string>

#include "base/result.hpp"

namespace weir::compute {

// Changes whenever the template would come out differently: the layout's version, and the times of
// those parts of this machine that are copied.
[[nodiscard]] std::string builtin_template_stamp();

// Fills the empty directory `root`.
Status build_builtin_template(const std::string& root);

}  // namespace weir::compute
