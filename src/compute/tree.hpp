// Removing a folder that an instance has filled: hostile contents, owned by many users.
#pragma once

#include <string>

#include "base/result.hpp"

namespace weir::compute {

// Removes `parent`/`name` with all that is in it. Never follows a symbolic link and never leaves
// the folder, whatever its contents; folders nested to any depth cost a bounded number of
// descriptors. A folder that is not there is no error.
Status remove_tree(const std::string& parent, const std::string& name);

}  // namespace weir::compute
