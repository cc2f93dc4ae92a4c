// Whether one pattern with '*' and '?' takes all that another one takes.
#pragma once

#include <string_view>

#include "routing/glob.hpp"

namespace weir::routing {

// `covering` matches every subject that `covered` matches. Exact but for patterns whose wildcards
// stand for literal text only together; then false. Both as a client wrote them.
[[nodiscard]] bool pattern_covers(std::string_view covering, std::string_view covered,
                                  Case letter_case, Escapes escapes = Escapes::none);

}  // namespace weir::routing
