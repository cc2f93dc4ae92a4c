// SHA-256 and HMAC-SHA-256, and a comparison that takes as long for any two texts of a length.
#pragma once

#include <string>
#include <string_view>

namespace weir::aws {

[[nodiscard]] std::string hex(std::string_view bytes);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 bytes
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace weir::aws
