// Names, tags and ids: reference §1.1, §4.1, §8.4, §9.1.
#include <fmt/format.h>

#include <algorithm>

#include "model/limits.hpp"
#include "model/validate.hpp"

namespace weir::model {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Status validate_name(std::string_view kind, std::string_view name) {
  if (name.empty())
    return fail("ValidationError", fmt::format("A {} name must be specified", kind));
  if (name.size() > limits::name_chars_max) {
    return fail("ValidationError", fmt::format("{} name '{}' cannot be longer than '{}' characters",
                                               kind, name, limits::name_chars_max));
  }
  if (!std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '-'; })) {
    return fail("ValidationError",
                fmt::format("{} name '{}' can only contain characters that are alphanumeric "
                            "characters or hyphens(-)",
                            kind, name));
  }
  if (name.front() == '-' || name.back() == '-') {
    return fail("ValidationError",
                fmt::format("{} name '{}' cannot begin or end with '-'", kind, name));
  }
  return {};
}

// The length of the UTF-8 sequence at the start of `text`, 0 where there is none. Refuses overlong
// forms, surrogates and what lies beyond U+10FFFF (RFC 3629 §4).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto in = [&](std::size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

// The pattern of tags without its Unicode classes: any text but control characters, and of ASCII
// only letters, digits, space and _.:/=+-@.
bool is_tag_text(std::string_view text) {
  constexpr std::string_view allowed = " _.:/=+-@";
  return is_valid_utf8(text) && std::ranges::all_of(text, [&](char c) {
           return static_cast<unsigned char>(c) >= 0x80 || is_alphanumeric(c) ||
                  allowed.find(c) != std::string_view::npos;
         });
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::size_t chars_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

Status validate_load_balancer_name(std::string_view name) {
  if (auto valid = validate_name("Load balancer", name); !valid) return valid;
  if (name.starts_with("internal-")) {
    return fail("ValidationError",
                fmt::format("Load balancer name '{}' cannot begin with 'internal-'", name));
  }
  return {};
}

Status validate_target_group_name(std::string_view name) {
  if (auto valid = validate_name("Target group", name); !valid) return valid;
  if (name.find("--") != std::string_view::npos) {
    return fail("ValidationError",
                fmt::format("1 validation error detected: Value '{}' at "
                            "'targetGroup.targetGroupArn.targetGroupName' failed to satisfy "
                            "constraint: Member must satisfy regular expression pattern: "
                            "(?!.*--)(?!^-)(?!.*-$)^[A-Za-z0-9-]+$",
                            name));
  }
  return {};
}

namespace {
// Those of stacks are made by Weir itself; an API entry point refuses them from a client.
constexpr std::string_view stack_tag_prefix = "aws:cloudformation:";
}  // namespace

Status validate_tags(const Tags& tags) {
  const auto is_of_stack = [](const auto& tag) { return tag.first.starts_with(stack_tag_prefix); };
  const auto of_stack = static_cast<std::size_t>(std::ranges::count_if(tags, is_of_stack));
  if (tags.size() - of_stack > limits::tags_max) {
    return fail("TooManyTags", fmt::format("{} tags were given; a resource can have {}",
                                           tags.size(), limits::tags_max));
  }
  for (const auto& [key, value] : tags) {
    if (!is_tag_text(key) || !is_tag_text(value)) {
      return fail("ValidationError",
                  fmt::format("The tag '{}' may only contain letters, digits, spaces and _.:/=+-@",
                              is_valid_utf8(key) ? key : "?"));
    }
    if (key.empty() || chars_of(key) > limits::tag_key_chars_max) {
      return fail("ValidationError", fmt::format("The tag key '{}' must have 1 to {} characters",
                                                 key, limits::tag_key_chars_max));
    }
    if (chars_of(value) > limits::tag_value_chars_max) {
      return fail("ValidationError",
                  fmt::format("The value of the tag '{}' can have at most {} characters", key,
                              limits::tag_value_chars_max));
    }
    if (key.starts_with("aws:") && !key.starts_with(stack_tag_prefix)) {
      return fail("ValidationError",
                  fmt::format("The tag key '{}' begins with 'aws:', which is reserved", key));
    }
  }
  return {};
}

bool is_ec2_id(std::string_view id, std::string_view prefix) {
  if (!id.starts_with(prefix)) return false;
  id.remove_prefix(prefix.size());
  return (id.size() == 8 || id.size() == 17) && std::ranges::all_of(id, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status validate_port(int port, std::string_view parameter) {
  if (port < 1 || port > 65'535) {
    return fail("ValidationError",
                fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy "
                            "constraint: Member must have value between 1 and 65535",
                            port, parameter));
  }
  return {};
}

}  // namespace weir::model
