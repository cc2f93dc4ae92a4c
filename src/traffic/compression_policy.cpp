#include "traffic/compression_policy.hpp"

#include <algorithm>

namespace weir::traffic {
namespace {

// `pattern` is lower case and may end in "/*".
bool matches(std::string_view type, std::string_view pattern) {
  const bool is_prefix = pattern.ends_with("/*");
  if (is_prefix) pattern.remove_suffix(1);
  if (is_prefix ? type.size() <= pattern.size() : type.size() != pattern.size()) return false;
  return std::ranges::equal(type.substr(0, pattern.size()), pattern, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
}

}  // namespace

bool CompressionPolicy::is_for(std::string_view content_type) const {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return std::ranges::any_of(content_types,
                             [&](const std::string& pattern) { return matches(type, pattern); });
}

}  // namespace weir::traffic
