// Whether an input holds what its shape says: required members, lengths, ranges, patterns, enums.
#pragma once

#include "aws/description/description.hpp"
#include "aws/value.hpp"
#include "base/result.hpp"

namespace weir::aws {

// The value must have the kinds that the shape says (what a decoder gives).
[[nodiscard]] Status validate(Protocol protocol, const Shape& shape, const Value& value);

}  // namespace weir::aws
