// Headers that have no id (http::HeaderId), found by their name in any letter case. For what is off
// by default: a walk over the head.
#pragma once

#include <span>
#include <string_view>

#include "http/message.hpp"

namespace weir::proxy {

[[nodiscard]] inline bool is_same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// The first, or nullptr.
[[nodiscard]] inline const http::Header* find_header(std::span<const http::Header> headers,
                                                     std::string_view name) {
  for (const http::Header& header : headers) {
    if (is_same_name(header.name, name)) return &header;
  }
  return nullptr;
}

}  // namespace weir::proxy
