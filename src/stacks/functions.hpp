// The intrinsic functions: which there are, what they look like, and what may stand where.
//
// check_functions looks at functions as written, without values, in all branches. What a function
// gives is resolve.hpp's; a malformed one gives nothing known there and is reported here only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stacks/diagnostics.hpp"
#include "stacks/template.hpp"
#include "stacks/value.hpp"

namespace weir::stacks {

// A map with one key that is a function's name. `argument` lives in the value.
struct Call {
  std::string_view name;
  Mark mark;
  const Value* argument = nullptr;
};

// Nothing where the value is no function. {Condition: name} is one in conditions only, where
// `in_condition` is true; elsewhere it is a map like others.
[[nodiscard]] std::optional<Call> as_call(const Value& value, bool in_condition = false);

// Calls `visit` with what the value may come to, as far as it can be seen: both branches of an
// Fn::If (not AWS::NoValue), nothing for other functions and unknown values. False: it is a plain
// value, to be looked at itself.
bool for_each_branch(const Value& value, const std::function<void(const Value&)>& visit);

// true, false and YAML 1.1's other words for them.
[[nodiscard]] std::optional<bool> to_boolean(std::string_view text);

// A piece of an Fn::Sub text: literal text, or the name inside ${…}.
struct SubPart {
  bool is_name = false;
  std::string text;
};
[[nodiscard]] std::vector<SubPart> split_sub(std::string_view text);

[[nodiscard]] bool is_pseudo_parameter(std::string_view name);

// Where a value stands decides which functions it may use.
enum class Place { condition, rule, property, output };

void check_functions(const Template& tmpl, const Value& value, const std::string& path, Place place,
                     Diagnostics& diagnostics);

}  // namespace weir::stacks
