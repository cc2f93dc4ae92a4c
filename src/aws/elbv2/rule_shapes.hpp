// Actions, conditions and transforms: from the wire's form to the model's and back.
//
// The wire has older and newer members for the same thing (`Values` and `PathPatternConfig`,
// `TargetGroupArn` and `ForwardConfig`); the model has one. Both are given back.
#pragma once

#include <string>
#include <vector>

#include "aws/value.hpp"
#include "base/result.hpp"
#include "model/resources.hpp"

namespace weir::aws::elbv2 {

[[nodiscard]] Result<std::vector<model::Action>> actions_of(const Value::List& actions);
[[nodiscard]] Value action_list(const std::vector<model::Action>& actions);

[[nodiscard]] Result<std::vector<model::Condition>> conditions_of(const Value::List& conditions);
[[nodiscard]] Value condition_list(const std::vector<model::Condition>& conditions);

[[nodiscard]] Result<std::vector<model::Transform>> transforms_of(const Value::List& transforms);
[[nodiscard]] Value transform_list(const std::vector<model::Transform>& transforms);

}  // namespace weir::aws::elbv2
