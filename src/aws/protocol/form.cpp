#include "aws/protocol/form.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace weir::aws {
namespace {

constexpr std::string_view malformed = "MalformedQueryString";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The length of the UTF-8 sequence at the start of `text`; 0: it is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) {
    return i < text.size() && (byte(i) & 0xC0U) == 0x80;
  };
  if (byte(0) < 0x80) return 1;
  if (byte(0) >= 0xC2 && byte(0) <= 0xDF) return continues(1) ? 2 : 0;
  if (byte(0) >= 0xE0 && byte(0) <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (byte(0) == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (byte(0) == 0xED && byte(1) > 0x9F) return 0;  // a surrogate
    return 3;
  }
  if (byte(0) >= 0xF0 && byte(0) <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (byte(0) == 0xF0 && byte(1) < 0x90) return 0;
    if (byte(0) == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

bool decode_part(std::string_view text, std::string& to) {
  return percent_decode(text, true, to) && to.find('\0') == std::string::npos && is_utf8(to);
}

}  // namespace

bool percent_decode(std::string_view text, bool plus_is_space, std::string& to) {
  to.clear();
  to.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      to.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      to.push_back(text[i] == '+' && plus_is_space ? ' ' : text[i]);
    }
  }
  return true;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Result<Parameters> parse_form(std::string_view text) {
  Parameters parameters;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    if (parameters.size() == parameters_max)
      return fail(std::string(malformed),
                  fmt::format("There are more than {} parameters", parameters_max));
    const auto equals = std::min(part.find('='), part.size());
    auto& [name, value] = parameters.emplace_back();
    if (!decode_part(part.substr(0, equals), name) ||
        !decode_part(part.substr(std::min(equals + 1, part.size())), value)) {
      return fail(std::string(malformed), "A parameter is not percent-encoded UTF-8");
    }
  }
  return parameters;
}

Result<ParameterNode> parameter_tree(const Parameters& parameters) {
  ParameterNode root;
  for (const auto& [name, value] : parameters) {
    auto* node = &root;
    std::string_view rest = name;
    for (std::size_t depth = 0;; ++depth) {
      if (depth == parameter_depth_max)
        return fail(std::string(malformed),
                    fmt::format("A parameter is more than {} levels deep", parameter_depth_max));
      const auto dot = rest.find('.');
      node = &node->children[rest.substr(0, dot)];
      if (dot == std::string_view::npos) break;
      rest.remove_prefix(dot + 1);
    }
    if (node->value != nullptr)
      return fail(std::string(malformed), fmt::format("The parameter {} is given twice", name));
    node->value = &value;
  }
  return root;
}

}  // namespace weir::aws
