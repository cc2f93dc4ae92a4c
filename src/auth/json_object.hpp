// JSON objects from outside (token headers, claims, key sets), read strictly: a name that comes
// twice in one object is a fault, since two readers may each take another one (RFC 7515 §4).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace weir::auth {

// Nothing where the text is no JSON object, nests deeper than 16 levels or repeats a name.
[[nodiscard]] std::optional<nlohmann::json> parse_object(std::string_view text);

// The member's text; nothing where there is none or it is no string.
[[nodiscard]] std::optional<std::string> text_member(const nlohmann::json& object,
                                                     std::string_view name);

}  // namespace weir::auth
