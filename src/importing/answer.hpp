// Answers of the Query protocol, in XML, as the values that the service's description says they
// are.
//
// What the shapes do not know is passed over (a newer service may say more), what is missing stays
// missing. Document types are refused, so nothing in an answer refers to anything else; depth is
// bounded by that of the shapes.
#pragma once

#include <string_view>

#include "aws/description/description.hpp"
#include "aws/value.hpp"
#include "base/result.hpp"

namespace weir::importing {

// The result of a call that succeeded. "MalformedAnswer" where it is no XML or of another call.
[[nodiscard]] Result<aws::Value> read_answer(const aws::Operation& operation, std::string_view xml);

// What a refused call says: its code and message; where it is no answer of AWS, its HTTP status.
[[nodiscard]] Error read_refusal(long http_status, std::string_view xml);

}  // namespace weir::importing
