// Regular expressions of conditions: whether RE2, which will run them, takes them (reference §3.2:
// no look-around, no back-references; RE2 has neither).
#pragma once

#include <vector>

#include "base/result.hpp"
#include "model/resources.hpp"

namespace weir::control {

Status check_regular_expressions(const std::vector<model::Condition>& conditions);

}  // namespace weir::control
