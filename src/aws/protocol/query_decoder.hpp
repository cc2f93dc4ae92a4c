// The parameters of a call as the input that its operation's shape describes. Query and EC2 differ
// in how lists and members are named: "Targets.member.1.Id" and "InstanceId.1".
#pragma once

#include "aws/description/description.hpp"
#include "aws/protocol/form.hpp"
#include "aws/value.hpp"
#include "base/result.hpp"

namespace weir::aws {

// `protocol`: query or ec2. Parameters of the request itself (Action, Version, those of a signature
// in the query string) are passed over; any other one that the shape does not know is refused. The
// value is not validated yet. `input` nullptr: an operation without parameters.
[[nodiscard]] Result<Value> decode_query(Protocol protocol, const Shape* input,
                                         const Parameters& parameters);

}  // namespace weir::aws
