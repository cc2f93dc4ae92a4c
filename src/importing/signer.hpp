// The headers that sign a call by Signature Version 4.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "importing/settings.hpp"

namespace weir::importing {

// Of a POST of a form to `path` at `host` (with its port, where it is not the scheme's own), whose
// body is `body`, at `timestamp` (20261124T200512Z). All headers that the request must carry.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> signed_headers(
    const Settings& settings, std::string_view host, std::string_view path, std::string_view body,
    std::string_view timestamp);

// "a=b&c=d" with what is not unreserved (RFC 3986) percent-encoded.
[[nodiscard]] std::string encode_form(
    const std::vector<std::pair<std::string, std::string>>& parameters);

}  // namespace weir::importing
