// What a template can see of the place where it is deployed, as a value: pseudo parameters, the
// default network, and which ids exist. Made from the registry by the engine, by hand in tests.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace weir::stacks {

struct DefaultSubnet {
  std::string zone;  // us-east-1a
  std::string subnet_id;
};

struct Environment {
  std::string account = "123456789012";
  std::string region = "us-east-1";
  std::string stack_name;
  std::string stack_id;
  std::string default_vpc_id;                  // empty: there is none
  std::vector<DefaultSubnet> default_subnets;  // by zone
  std::set<std::string> vpc_ids;
  std::set<std::string> subnet_ids;
  std::set<std::string> security_group_ids;
};

}  // namespace weir::stacks
