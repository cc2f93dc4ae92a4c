// Base64 (RFC 4648 §4), as user data travels in the EC2 API and in the store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::model {

[[nodiscard]] std::string base64_encode(std::string_view bytes);

// Line breaks are skipped, padding may be left out; anything else is nullopt.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace weir::model
