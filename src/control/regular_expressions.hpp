// Regular expressions of conditions and transforms: whether the data plane, which will run them,
// takes them (reference §3.2, §3.4).
#pragma once

#include <vector>

#include "base/result.hpp"
#include "model/resources.hpp"

namespace weir::control {

Status check_regular_expressions(const std::vector<model::Condition>& conditions);
Status check_transforms(const std::vector<model::Transform>& transforms);

}  // namespace weir::control
