// What creating a stack will do, as far as it can be known before anything exists: template and
// parameters taken together, everything checked, resources in an order in which they can be made.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "stacks/engine.hpp"
#include "stacks/environment.hpp"
#include "stacks/parameters.hpp"
#include "stacks/template.hpp"

namespace weir::stacks {

struct Prepared {
  Template tmpl;
  BoundParameters parameters;
  Environment environment;
  Plan plan;
};

// The error ("ValidationError") holds all faults, a line each. Pure.
[[nodiscard]] Result<Prepared> prepare(const CreateInput& input, Environment environment);

// An order in which every name comes after those it depends on; names that `graph` lacks as keys
// are passed over. Nothing: there is a cycle, which `cycle` tells, its first name repeated at the
// end.
[[nodiscard]] std::vector<std::string> topological_order(
    const std::vector<std::string>& names,
    const std::map<std::string, std::set<std::string>>& graph, std::vector<std::string>& cycle);

}  // namespace weir::stacks
