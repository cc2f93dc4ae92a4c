// Actions and conditions as a template has them: without what descriptions say twice, and without
// what has no counterpart.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "aws/value.hpp"
#include "importing/schema_conversion.hpp"

namespace weir::importing {

// What can be honoured of `actions`, as values that `fields` (of an action) convert; nothing is
// lost silently. Where one of them cannot be, all of them give way to a fixed response 503: a rule
// whose authentication is missing must not forward.
[[nodiscard]] aws::Value::List kept_actions(const aws::Value::List& actions,
                                            std::span<const stacks::Property> fields,
                                            const References& references, std::string_view where,
                                            Notices& notices);

// nullopt, with a notice: Weir does not know one of the conditions, so the rule cannot be had.
[[nodiscard]] std::optional<aws::Value::List> kept_conditions(
    const aws::Value::List& conditions, std::span<const stacks::Property> fields,
    std::string_view where, Notices& notices);

}  // namespace weir::importing
