// The front of both readers: bounds and encoding are checked before a parser sees a byte.
#include "stacks/parse.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "stacks/limits.hpp"

namespace weir::stacks {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 25> forms{{
    {"Ref", "Ref"},
    {"Condition", "Condition"},
    {"And", "Fn::And"},
    {"Base64", "Fn::Base64"},
    {"Cidr", "Fn::Cidr"},
    {"Contains", "Fn::Contains"},
    {"EachMemberEquals", "Fn::EachMemberEquals"},
    {"EachMemberIn", "Fn::EachMemberIn"},
    {"Equals", "Fn::Equals"},
    {"FindInMap", "Fn::FindInMap"},
    {"GetAZs", "Fn::GetAZs"},
    {"GetAtt", "Fn::GetAtt"},
    {"If", "Fn::If"},
    {"ImportValue", "Fn::ImportValue"},
    {"Join", "Fn::Join"},
    {"Length", "Fn::Length"},
    {"Not", "Fn::Not"},
    {"Or", "Fn::Or"},
    {"RefAll", "Fn::RefAll"},
    {"Select", "Fn::Select"},
    {"Split", "Fn::Split"},
    {"Sub", "Fn::Sub"},
    {"ToJsonString", "Fn::ToJsonString"},
    {"Transform", "Fn::Transform"},
    {"ValueOf", "Fn::ValueOf"},
}};

// Bytes of the well-formed UTF-8 sequence at `text[i]` (RFC 3629), 0 where there is none.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) -> unsigned {
    return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U;
  };
  const auto continues = [&](std::size_t count) {
    for (std::size_t k = 1; k <= count; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80U) return false;
    }
    return true;
  };
  const unsigned first = byte(i);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF && continues(1)) return 2;
  if (first >= 0xE0 && first <= 0xEF && continues(2)) {
    const unsigned second = byte(i + 1);
    if (first == 0xE0 && second < 0xA0) return 0;  // overlong
    if (first == 0xED && second > 0x9F) return 0;  // surrogates
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && continues(3)) {
    const unsigned second = byte(i + 1);
    if (first == 0xF0 && second < 0x90) return 0;
    if (first == 0xF4 && second > 0x8F) return 0;  // above U+10FFFF
    return 4;
  }
  return 0;
}

bool is_text(std::string_view text, Diagnostics& diagnostics) {
  Mark mark{1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text, i);
    if (length == 0) {
      diagnostics.add(mark, {}, fmt::format("byte 0x{:02X} is not UTF-8 text", byte));
      return false;
    }
    if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F) {
      diagnostics.add(mark, {}, fmt::format("control character 0x{:02X} in the text", byte));
      return false;
    }
    i += length;
    if (byte == '\n') {
      mark = {mark.line + 1, 1};
    } else {
      ++mark.column;
    }
  }
  return true;
}

}  // namespace

std::string_view long_form(std::string_view short_name) {
  for (const auto& [name, full] : forms) {
    if (name == short_name) return full;
  }
  return {};
}

const std::vector<std::string_view>& short_forms() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const auto& form : forms) all.push_back(form.first);
    return all;
  }();
  return names;
}

Result<Value> parse_template(std::string_view text, const std::string& file_name) {
  Diagnostics diagnostics(file_name);
  if (text.size() > limits::template_bytes_max) {
    return fail("ValidationError", fmt::format("{}: {} bytes; a template may have {}", file_name,
                                               text.size(), limits::template_bytes_max));
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) {
    return fail("ValidationError", fmt::format("{}:1:1: the template is empty", file_name));
  }
  if (!is_text(text, diagnostics)) return std::unexpected(diagnostics.error());
  std::optional<Value> root =
      text[start] == '{' ? parse_json(text, diagnostics) : parse_yaml(text, diagnostics);
  if (!diagnostics.empty() || !root) return std::unexpected(diagnostics.error());
  return std::move(*root);
}

}  // namespace weir::stacks
