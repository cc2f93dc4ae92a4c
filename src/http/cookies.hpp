// The Cookie field's pairs (RFC 6265 §4.2), taken as they come: whatever has no name is skipped.
#pragma once

#include <string_view>

#include "http/message.hpp"
#include "http/scan.hpp"

namespace weir::http {

// Calls use(name, value) for each pair of a Cookie field's value. Views into it; O(size).
template <typename Use>
void for_each_cookie(std::string_view field, Use use) {
  while (!field.empty()) {
    const std::size_t semicolon = field.find(';');
    const std::string_view pair = trim_spaces(field.substr(0, semicolon));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && equals != 0)
      use(pair.substr(0, equals), pair.substr(equals + 1));
    field.remove_prefix(semicolon == std::string_view::npos ? field.size() : semicolon + 1);
  }
}

// The name that a Set-Cookie field's value sets; empty where it sets none.
[[nodiscard]] inline std::string_view set_cookie_name(std::string_view field) {
  const std::string_view pair = field.substr(0, field.find(';'));
  const std::size_t equals = pair.find('=');
  return equals == std::string_view::npos ? std::string_view{}
                                          : trim_spaces(pair.substr(0, equals));
}

}  // namespace weir::http
