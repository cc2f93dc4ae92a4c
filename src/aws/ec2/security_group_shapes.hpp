// Rules of security groups as the API writes them: as permissions, which put the peers of one
// protocol and range of ports together, and one by one.
#pragma once

#include <string>
#include <vector>

#include "aws/ec2/handlers.hpp"

namespace weir::aws::ec2 {

using Rules = std::vector<model::SecurityGroupRule>;

[[nodiscard]] Value permissions_of(const Site& site, const Rules& rules);

// "IpPermissions", and the older members beside it ("IpProtocol", "CidrIp", …). Groups may be named
// where the VPC is the default one. The rules are not canonical yet.
[[nodiscard]] Result<Rules> rules_of(const control::State& state, const Value& input);

// The id of the group that "GroupId" or "GroupName" (of the default VPC) names.
[[nodiscard]] Result<std::string> group_id_of(const control::State& state, const Value& input);

}  // namespace weir::aws::ec2
