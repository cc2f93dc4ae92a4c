// CloudFormation (2010-05-15) on stacks/: what `weir up` does, by AWS's calls.
//
// Templates come with the call, up to 1 MB; template URLs are refused, since nothing is kept in S3.
// Change sets are kept in memory while the daemon runs.
#pragma once

#include <functional>
#include <memory>

#include "aws/service.hpp"
#include "control/registry.hpp"
#include "stacks/engine.hpp"
#include "stacks/operations.hpp"

namespace weir::aws {

struct CloudFormationParts {  // all outlive the service
  control::Registry& registry;
  stacks::Engine& engine;
  std::function<void()> flush;  // what has changed is in force when it returns
};

[[nodiscard]] std::unique_ptr<Service> make_cloudformation_service(CloudFormationParts parts);

// By operation; what the service is made of.
[[nodiscard]] Handlers cloudformation_handlers(const CloudFormationParts& parts);

}  // namespace weir::aws
