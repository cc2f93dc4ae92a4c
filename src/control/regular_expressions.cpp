#include "control/regular_expressions.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

namespace weir::control {

Status check_regular_expressions(const std::vector<model::Condition>& conditions) {
  for (const model::Condition& condition : conditions) {
    for (const std::string& text : condition.regex_values) {
      const re2::RE2 compiled(text, re2::RE2::Quiet);
      if (!compiled.ok()) {
        return fail("ValidationError", fmt::format("The regular expression '{}' is not valid: {}",
                                                   text, compiled.error()));
      }
    }
  }
  return {};
}

}  // namespace weir::control
