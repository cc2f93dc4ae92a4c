// An environment for tests that need no registry.
#pragma once

#include "stacks/environment.hpp"

namespace weir::stacks {

inline Environment unit_environment() {
  Environment environment;
  environment.stack_name = "stack";
  environment.stack_id = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/0";
  environment.default_vpc_id = "vpc-00000000000000001";
  environment.default_subnets = {{"us-east-1a", "subnet-00000000000000001"},
                                 {"us-east-1b", "subnet-00000000000000002"}};
  environment.vpc_ids = {"vpc-00000000000000001"};
  environment.subnet_ids = {"subnet-00000000000000001", "subnet-00000000000000002"};
  environment.security_group_ids = {"sg-00000000000000001"};
  return environment;
}

}  // namespace weir::stacks
