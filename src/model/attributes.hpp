// The attributes of load balancers, listeners and target groups, as data (reference §1.4, §2.2,
// §4.2): key, default, which values are valid, to which kinds they apply, and whether this Weir
// puts them in force.
//
// A resource keeps only what a client has set (model::Attributes); an attribute that is not in
// force takes its default alone, so that nothing is accepted and then silently ignored.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/resources.hpp"

namespace weir::model {

struct AttributeSpec {
  std::string_view key;
  std::string_view default_value;
  // How a valid value looks, for people: "true | false", "0-3600".
  std::string_view values;
  bool (*is_valid)(std::string_view value, const AttributeSpec& spec);
  bool is_in_force = true;
  long min = 0;
  long max = 0;
};

[[nodiscard]] std::span<const AttributeSpec> load_balancer_attributes();
[[nodiscard]] std::span<const AttributeSpec> listener_attributes();
[[nodiscard]] std::span<const AttributeSpec> target_group_attributes();

// All three check each pair, and then what must hold between several.
Status validate_load_balancer_attributes(const Attributes& attributes);
Status validate_listener_attributes(const Attributes& attributes);
Status validate_target_group_attributes(const Attributes& attributes,
                                        std::string_view target_type = "instance");

// The value that is in force: the one set, else the default. `key` must be in `specs`.
[[nodiscard]] std::string value_of(const Attributes& attributes,
                                   std::span<const AttributeSpec> specs, std::string_view key);
[[nodiscard]] long number_of(const Attributes& attributes, std::span<const AttributeSpec> specs,
                             std::string_view key);
[[nodiscard]] bool flag_of(const Attributes& attributes, std::span<const AttributeSpec> specs,
                           std::string_view key);

// The items of a value that is a list, "a,b".
[[nodiscard]] std::vector<std::string_view> items_of(std::string_view list);

[[nodiscard]] bool has_deletion_protection(const LoadBalancer& load_balancer);
[[nodiscard]] long deregistration_delay_seconds(const TargetGroup& group);

}  // namespace weir::model
