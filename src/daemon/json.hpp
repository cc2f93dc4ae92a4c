// JSON as the control socket uses it. For the .cpp files of daemon/ and cli/ that speak it, and the
// private headers of daemon/ between them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::daemon {

using Json = nlohmann::ordered_json;

// One line; bytes that are no UTF-8 (an instance's output) become U+FFFD.
[[nodiscard]] inline std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

[[nodiscard]] inline std::optional<Json> parse_json(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

// A member of an object as text; empty where it is missing or of another type.
[[nodiscard]] inline std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

[[nodiscard]] inline bool flag_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

[[nodiscard]] inline Json error_json(const Error& error) {
  return Json{{"error", {{"code", error.code}, {"message", error.message}, {"hint", error.hint}}}};
}

// Of a line that has an "error".
[[nodiscard]] inline Error error_from(const Json& line) {
  const auto& error = line.at("error");
  return Error{text_of(error, "code"), text_of(error, "message"), text_of(error, "hint")};
}

}  // namespace weir::daemon
