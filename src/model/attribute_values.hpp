// What the tables of attributes are made of: the checks of single values, and one function a kind
// of attribute that makes its entry.
#pragma once

#include <optional>
#include <string_view>

#include "model/attributes.hpp"

namespace weir::model {

inline constexpr bool in_force = true;
inline constexpr bool default_only = false;

// The whole of `text` as a decimal number.
[[nodiscard]] std::optional<long> number(std::string_view text);

// Between spec.min and spec.max; the same, or "0"; the same, or "off".
[[nodiscard]] bool is_in_range(std::string_view value, const AttributeSpec& spec);
[[nodiscard]] bool is_zero_or_in_range(std::string_view value, const AttributeSpec& spec);
[[nodiscard]] bool is_off_or_in_range(std::string_view value, const AttributeSpec& spec);
// One of the words of spec.values, which are parted by " | ".
[[nodiscard]] bool is_listed(std::string_view value, const AttributeSpec& spec);
// RFC 9110 §5.6.2; may be empty.
[[nodiscard]] bool is_token(std::string_view value);
// Of S3 logs; both may be empty. What they admit is a relative path on every file system, without
// "." and ".." among its parts.
[[nodiscard]] bool is_bucket_name(std::string_view value, const AttributeSpec& spec);
[[nodiscard]] bool is_log_prefix(std::string_view value, const AttributeSpec& spec);

[[nodiscard]] constexpr AttributeSpec flag(std::string_view key, std::string_view default_value,
                                           bool is_in_force) {
  return {key, default_value, "true | false", is_listed, is_in_force};
}

[[nodiscard]] constexpr AttributeSpec word(std::string_view key, std::string_view default_value,
                                           std::string_view values, bool is_in_force) {
  return {key, default_value, values, is_listed, is_in_force};
}

[[nodiscard]] constexpr AttributeSpec range(std::string_view key, std::string_view default_value,
                                            std::string_view values, long min, long max,
                                            bool is_in_force) {
  return {key, default_value, values, is_in_range, is_in_force, min, max};
}

// The attributes that AWS does not have; attributes.cpp puts them behind AWS's own.
[[nodiscard]] std::span<const AttributeSpec> weir_load_balancer_attributes();
[[nodiscard]] std::span<const AttributeSpec> weir_target_group_attributes();

}  // namespace weir::model
