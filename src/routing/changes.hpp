// What has changed in the sources since the snapshot before, so that the rest of it can be taken as
// it is. Naming too much costs time alone; what is not named is not looked at.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace weir::routing {

struct Changes {
  std::map<std::string, std::string> rules;  // ARN → its listener's; put or erased
  std::set<std::string> target_groups;
  std::set<std::tuple<std::string, std::string, std::uint16_t>> targets;  // (group, id, port)
  // Load balancers, instances or the network: every target is looked at.
  bool all_targets = false;
};

}  // namespace weir::routing
