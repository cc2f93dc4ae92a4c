// Base64url without padding (RFC 4648 §5, RFC 7515 §2), and strictly so: one text for each value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::auth {

[[nodiscard]] std::string base64url_encode(std::string_view bytes);

// Nothing for any other character, padding, white space, or bits that mean nothing.
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace weir::auth
