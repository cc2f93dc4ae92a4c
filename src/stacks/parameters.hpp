// The values of a template's parameters: given, by default, or taken from the environment.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "stacks/diagnostics.hpp"
#include "stacks/environment.hpp"
#include "stacks/template.hpp"
#include "stacks/value.hpp"

namespace weir::stacks {

struct BoundParameter {
  Value value;       // a string or a list of strings; unknown where it is faulty
  std::string text;  // as given
  bool is_default = false;
};

struct BoundParameters {
  std::map<std::string, BoundParameter> values;
  std::vector<std::string> notices;  // what was taken from the environment
};

// Checks the declarations, then the values against them.
[[nodiscard]] BoundParameters bind_parameters(const Template& tmpl,
                                              const std::map<std::string, std::string>& given,
                                              const Environment& environment,
                                              Diagnostics& diagnostics);

}  // namespace weir::stacks
