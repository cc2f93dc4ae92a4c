// Transforms of rules: reference §3.4.
#include <fmt/format.h>

#include <algorithm>

#include "model/limits.hpp"
#include "model/names.hpp"
#include "model/validate.hpp"

namespace weir::model {
namespace {

std::unexpected<Error> refuse(std::string message) {
  return fail("ValidationError", std::move(message));
}

// What a replacement holds ends up in the request line or in the Host header: no spaces, no control
// characters. A regular expression may hold spaces, to no use.
Status validate_text(const Transform& transform, std::string_view member, const std::string& text,
                     char lowest) {
  if (text.size() > limits::rewrite_chars_max) {
    return refuse(fmt::format("The {} of a '{}' transform is too long; the limit is '{}'", member,
                              name_of(transform.type), limits::rewrite_chars_max));
  }
  if (!std::ranges::all_of(text, [&](char c) { return c >= lowest && c <= '~'; })) {
    return refuse(
        fmt::format("The {} of a '{}' transform may only contain visible ASCII characters", member,
                    name_of(transform.type)));
  }
  return {};
}

Status validate_transform(const Transform& transform) {
  if (transform.regex.empty()) {
    return refuse(
        fmt::format("A 'Regex' must be specified in a '{}' transform", name_of(transform.type)));
  }
  if (auto valid = validate_text(transform, "Regex", transform.regex, ' '); !valid) return valid;
  return validate_text(transform, "Replace", transform.replace, '!');
}

}  // namespace

Status validate_transforms(const std::vector<Transform>& transforms,
                           const std::vector<Action>& actions) {
  if (transforms.empty()) return {};
  for (const Transform& transform : transforms) {
    if (auto valid = validate_transform(transform); !valid) return valid;
    if (std::ranges::count(transforms, transform.type, &Transform::type) > 1) {
      return refuse(
          fmt::format("A rule can only have one '{}' transform", name_of(transform.type)));
    }
  }
  const bool forwards = std::ranges::any_of(actions, [](const Action& action) {
    return std::holds_alternative<ForwardAction>(action.config);
  });
  if (!forwards) return refuse("Transforms can only be used with a forward action");
  return {};
}

}  // namespace weir::model
