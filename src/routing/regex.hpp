// Regular expressions of conditions and of transforms (reference §3.2, §3.4).
//
// RE2 runs them: its time is linear in the subject and its memory bounded, whatever expression and
// subject are, and what it cannot do (look-around, back-references, atomic groups, possessive
// quantifiers, subroutines, recursion) is what AWS refuses. Subjects are bytes, not UTF-8. Case
// follows the field: folded for hosts and headers, exact for paths and URLs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "routing/text.hpp"

namespace re2 {
class RE2;
}

namespace weir::routing {

// "ValidationError", with what is wrong and where.
[[nodiscard]] Result<std::unique_ptr<re2::RE2>> compile_regex(const std::string& text,
                                                              Case letter_case);

// Anywhere in the subject, as the expression's own anchors allow.
[[nodiscard]] bool regex_matches(const re2::RE2& regex, std::string_view subject);

}  // namespace weir::routing
