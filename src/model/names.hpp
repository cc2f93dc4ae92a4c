// The words that the AWS APIs have for the model's enumerations. Each pair is a bijection: the
// store, the API and the command line use these words alone.
#pragma once

#include <optional>
#include <string_view>

#include "model/resources.hpp"

namespace weir::model {

[[nodiscard]] std::string_view name_of(InstanceState state);      // "shutting-down"
[[nodiscard]] std::string_view name_of(LoadBalancerState state);  // "active"
[[nodiscard]] std::string_view name_of(ConditionField field);     // "path-pattern"
[[nodiscard]] std::string_view name_of(TransformType type);       // "url-rewrite"
[[nodiscard]] std::string_view name_of(JwtClaim::Format format);  // "string-array"

[[nodiscard]] std::optional<InstanceState> instance_state(std::string_view name);
[[nodiscard]] std::optional<LoadBalancerState> load_balancer_state(std::string_view name);
[[nodiscard]] std::optional<ConditionField> condition_field(std::string_view name);
[[nodiscard]] std::optional<TransformType> transform_type(std::string_view name);
[[nodiscard]] std::optional<JwtClaim::Format> claim_format(std::string_view name);

}  // namespace weir::model
