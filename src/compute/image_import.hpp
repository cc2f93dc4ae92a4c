// Unpacking a root file system that somebody else made.
#pragma once

#include <string>

#include "base/result.hpp"

namespace weir::compute {

// Unpacks `tar_path` into the empty directory `root`. "InvalidImage" names what is wrong.
Status unpack_image(const std::string& tar_path, const std::string& root);

}  // namespace weir::compute
