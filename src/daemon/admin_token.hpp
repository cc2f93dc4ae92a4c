// The bearer token of the admin endpoint: a file that only this user can read, and a comparison
// whose time tells nothing about where two tokens differ.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::daemon {

inline constexpr std::size_t admin_token_bytes_min = 16;
inline constexpr std::size_t admin_token_bytes_max = 1024;

// The token in `file`: one line of visible ASCII. Errors: "AdminToken" where the file can be read
// by others, belongs to somebody else, or holds no token of a sensible length.
[[nodiscard]] Result<std::string> read_admin_token(const std::string& file);

// Whether the value of an Authorization field is "Bearer " and this token (RFC 6750 §2.1).
[[nodiscard]] bool is_authorized(std::string_view authorization, std::string_view token);

}  // namespace weir::daemon
