// How a resource's properties differ from those it was made with, and what a difference takes: a
// change in place, or another resource in its stead. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "stacks/schema.hpp"
#include "stacks/value.hpp"

namespace weir::stacks {

enum class ChangeKind : std::uint8_t { none, in_place, replacement };

// The properties whose values differ, sorted. The order of a map's members says nothing; a value
// that is not known yet differs from every other.
[[nodiscard]] std::vector<std::string> changed_properties(const Value& former, const Value& wanted);

[[nodiscard]] ChangeKind change_kind(const ResourceType& type,
                                     const std::vector<std::string>& changed);

// The property that names resources of this type for good ("Name", "GroupName"); empty where there
// is none. Two resources cannot have the same, so one with a name cannot be replaced under it.
[[nodiscard]] std::string_view name_property(const ResourceType& type);

// What to_json wrote of a resource's properties.
[[nodiscard]] Result<Value> read_properties(const std::string& json);

}  // namespace weir::stacks
