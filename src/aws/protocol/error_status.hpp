// The HTTP status of an error code.
#pragma once

#include <string_view>

#include "aws/description/description.hpp"

namespace weir::aws {

// As the service's description has it; else as all services have it (reference §8.3, §9.1); else
// 400. `description` nullptr: no service is known.
[[nodiscard]] int error_status(const Description* description, std::string_view code);

}  // namespace weir::aws
