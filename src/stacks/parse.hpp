// The two readers behind parse_template. Each returns the root, or nothing after noting a fault
// from which it could not go on; faults that it could pass (a key given twice) are noted as well.
#pragma once

#include <optional>
#include <string_view>

#include "stacks/diagnostics.hpp"
#include "stacks/value.hpp"

namespace weir::stacks {

// yaml-cpp's exceptions stop here.
[[nodiscard]] std::optional<Value> parse_yaml(std::string_view text, Diagnostics& diagnostics);

// RFC 8259, nothing more.
[[nodiscard]] std::optional<Value> parse_json(std::string_view text, Diagnostics& diagnostics);

// "Fn::Join" for "Join", "Ref" for "Ref"; empty where CloudFormation has no such short form.
[[nodiscard]] std::string_view long_form(std::string_view short_name);

// All short forms, for suggestions.
[[nodiscard]] const std::vector<std::string_view>& short_forms();

}  // namespace weir::stacks
