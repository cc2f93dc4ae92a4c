// The part of a request's text that takes part in matching.
//
// Only ASCII from the space to '~' is looked at (reference §3.1): everything else is taken out of
// subjects and of patterns alike, and case is folded where the field asks for it, so that what
// comes after is plain comparison of bytes. Text that is clean already, nearly all of it, is not
// copied.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::routing {

enum class Case : unsigned char { exact, folded };

// `text`, or its cleaned copy in `scratch` (which keeps its capacity: no allocation once warm).
[[nodiscard]] std::string_view matchable(std::string_view text, Case letter_case,
                                         std::string& scratch);
// The same as a value, for patterns.
[[nodiscard]] std::string matchable(std::string_view text, Case letter_case);

[[nodiscard]] char to_lower(char c);
[[nodiscard]] bool equals_folded(std::string_view a, std::string_view b);

// "host" of "host:port" and "[v6]:port".
[[nodiscard]] std::string_view without_port(std::string_view authority);

}  // namespace weir::routing
