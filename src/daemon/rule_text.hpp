// Conditions and actions of rules in a few words, for tables.
#pragma once

#include <string>
#include <vector>

#include "control/registry.hpp"
#include "model/resources.hpp"

namespace weir::daemon {

// "path-pattern /cluster1* and host-header a.example"
[[nodiscard]] std::string conditions_text(const std::vector<model::Condition>& conditions);

// "forward to cluster1 (50 %), cluster2 (50 %)"
[[nodiscard]] std::string actions_text(const control::State& state,
                                       const std::vector<model::Action>& actions);

// A path that the rule takes, for a first try with curl; empty where its conditions look at
// something else than the path.
[[nodiscard]] std::string example_path(const std::vector<model::Condition>& conditions);

}  // namespace weir::daemon
