#include "importing/logical_ids.hpp"

#include <fmt/format.h>

#include <cctype>

namespace weir::importing {

std::string camel_case(std::string_view name) {
  constexpr std::size_t chars_max = 64;
  std::string result;
  bool is_start = true;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_kept = byte < 128 && std::isalnum(byte) != 0;
    if (is_kept && result.size() < chars_max)
      result.push_back(is_start ? static_cast<char>(std::toupper(byte)) : c);
    is_start = !is_kept;
  }
  return result.empty() ? "X" : result;
}

std::string LogicalIds::take(const std::string& wanted) {
  std::string id = wanted;
  for (int number = 2; !taken_.insert(id).second; ++number)
    id = fmt::format("{}{}", wanted, number);
  return id;
}

}  // namespace weir::importing
