#include "model/attribute_values.hpp"

#include <algorithm>
#include <charconv>

namespace weir::model {

std::optional<long> number(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_in_range(std::string_view value, const AttributeSpec& spec) {
  const auto parsed = number(value);
  return parsed && *parsed >= spec.min && *parsed <= spec.max;
}

bool is_zero_or_in_range(std::string_view value, const AttributeSpec& spec) {
  return value == "0" || is_in_range(value, spec);
}

bool is_off_or_in_range(std::string_view value, const AttributeSpec& spec) {
  return value == "off" || is_in_range(value, spec);
}

bool is_listed(std::string_view value, const AttributeSpec& spec) {
  constexpr std::string_view bar = " | ";
  std::string_view rest = spec.values;
  while (true) {
    const std::size_t end = std::min(rest.find(bar), rest.size());
    if (rest.substr(0, end) == value) return true;
    if (end == rest.size()) return false;
    rest.remove_prefix(end + bar.size());
  }
}

bool is_token(std::string_view value) {
  constexpr std::string_view more = "!#$%&'*+-.^_`|~";
  return std::ranges::all_of(value, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           more.find(c) != std::string_view::npos;
  });
}

}  // namespace weir::model
