// From the attributes of a load balancer to the logs that it keeps.
#pragma once

#include "model/resources.hpp"
#include "routing/log_policy.hpp"

namespace weir::routing {

[[nodiscard]] LogPolicies compile_logs(const model::LoadBalancer& source);

}  // namespace weir::routing
