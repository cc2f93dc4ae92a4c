// What runs, where and how healthy, as JSON: the CLI makes tables of it, `--output json` prints it.
#pragma once

#include <string>
#include <vector>

#include "daemon/json.hpp"
#include "daemon/parts.hpp"

namespace weir::daemon {

// "running", "shutting-down", …: as EC2 writes them.
[[nodiscard]] std::string instance_state_name(model::InstanceState state);

// What the stack of this name made, of `type`, as physical ids; empty name: all there are.
[[nodiscard]] std::vector<std::string> physical_ids(const control::State& state,
                                                    const std::string& stack,
                                                    const std::string& type);

[[nodiscard]] Json daemon_json(const Parts& parts);
[[nodiscard]] Json stack_json(const model::Stack& stack);
// With listeners, their rules and URLs. Empty stack name: all.
[[nodiscard]] Json load_balancers_json(const control::State& state, const std::string& stack);
// With every target's health, and a note where Weir knows why. Empty stack name: all.
[[nodiscard]] Json target_groups_json(Parts& parts, const std::string& stack);
[[nodiscard]] Json instance_json(const control::State& state, const model::Instance& instance);

[[nodiscard]] Json status_json(Parts& parts);

// Why an instance does not answer, as far as Weir can tell; empty where it cannot.
[[nodiscard]] std::string trouble_of(Parts& parts, const std::string& instance_id);

}  // namespace weir::daemon
