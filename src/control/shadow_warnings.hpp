// Says in the log which rules can never match (routing/shadowing.hpp).
#pragma once

#include <string>
#include <vector>

#include "control/registry.hpp"

namespace weir::control {

// After a change of a rule: of it, and of those that it now covers. Nothing where its listener has
// more than routing::shadow_rules_max rules: the cost of a change must not grow with their number.
void warn_of_shadows(const Registry& registry, const model::Rule& changed);
// After a change of many: of all rules of their listeners.
void warn_of_shadows(const Registry& registry, const std::vector<model::Rule>& changed);

// In words, of a listener's rules: "rule 20 of the listener on port 80 of web can never match:
// rule 10 takes all its requests".
[[nodiscard]] std::vector<std::string> shadow_notices(const State& state,
                                                      const std::string& listener_arn);

}  // namespace weir::control
