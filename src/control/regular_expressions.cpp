#include "control/regular_expressions.hpp"

#include <re2/re2.h>

#include "routing/regex.hpp"
#include "routing/transform.hpp"

namespace weir::control {

Status check_regular_expressions(const std::vector<model::Condition>& conditions) {
  for (const model::Condition& condition : conditions) {
    for (const std::string& text : condition.regex_values) {
      if (auto compiled = routing::compile_regex(text, routing::Case::folded); !compiled)
        return std::unexpected(compiled.error());
    }
  }
  return {};
}

Status check_transforms(const std::vector<model::Transform>& transforms) {
  if (auto compiled = routing::Transforms::compile(transforms); !compiled)
    return std::unexpected(compiled.error());
  return {};
}

}  // namespace weir::control
