// How an instance and its parts are told.
#pragma once

#include "aws/ec2/handlers.hpp"

namespace weir::aws::ec2 {

inline constexpr std::string_view root_device = "/dev/sda1";

[[nodiscard]] Value state_value(model::InstanceState state);
[[nodiscard]] Value group_list(const control::State& state, const std::vector<std::string>& ids);
[[nodiscard]] Value instance_value(const Site& site, const model::Instance& instance);
// Of instances in their order; those of one reservation together.
[[nodiscard]] Value reservation_list(const Site& site,
                                     const std::vector<const model::Instance*>& instances);
[[nodiscard]] Value reservation_value(const Site& site,
                                      const std::vector<const model::Instance*>& instances);

[[nodiscard]] bool is_ended(const model::Instance& instance);
[[nodiscard]] std::string zone_id_of(const control::State& state, const model::Instance& instance);

}  // namespace weir::aws::ec2
