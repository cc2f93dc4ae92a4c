#include "model/attribute_values.hpp"

#include <algorithm>
#include <charconv>

#include "model/limits.hpp"

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

namespace {

bool is_lower_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); }

bool is_prefix_part(std::string_view part) {
  constexpr std::string_view more = "!-_.*'() ";
  return !part.empty() && part.size() <= limits::log_prefix_part_bytes_max && part != "." &&
         part != ".." && std::ranges::all_of(part, [&](char c) {
           return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') ||
                  more.find(c) != std::string_view::npos;
         });
}

}  // namespace

bool is_bucket_name(std::string_view value, const AttributeSpec&) {
  if (value.empty()) return true;
  const bool is_address =
      std::ranges::all_of(value, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return value.size() >= 3 && value.size() <= 63 && is_lower_or_digit(value.front()) &&
         is_lower_or_digit(value.back()) && value.find("..") == std::string_view::npos &&
         !is_address && std::ranges::all_of(value, [](char c) {
           return is_lower_or_digit(c) || c == '.' || c == '-';
         });
}

bool is_log_prefix(std::string_view value, const AttributeSpec&) {
  if (value.empty()) return true;
  if (value.find("AWSLogs") != std::string_view::npos) return false;
  while (true) {
    const std::size_t end = std::min(value.find('/'), value.size());
    if (!is_prefix_part(value.substr(0, end))) return false;
    if (end == value.size()) return true;
    value.remove_prefix(end + 1);
  }
}

}  // namespace weir::model
