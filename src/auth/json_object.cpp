#include "auth/json_object.hpp"

#include <set>
#include <vector>

namespace weir::auth {
namespace {

using nlohmann::json;

constexpr int depth_max = 16;

// Follows the parser and remembers the names of every object that is open.
class Strictness {
 public:
  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (depth > depth_max) is_sound_ = false;
    if (event == json::parse_event_t::object_start) names_.emplace_back();
    if (event == json::parse_event_t::object_end) names_.pop_back();
    if (event == json::parse_event_t::key &&
        !names_.back().insert(parsed.get_ref<const std::string&>()).second)
      is_sound_ = false;
    return true;
  }
  [[nodiscard]] bool is_sound() const { return is_sound_; }

 private:
  std::vector<std::set<std::string>> names_;
  bool is_sound_ = true;
};

}  // namespace

std::optional<json> parse_object(std::string_view text) {
  Strictness strictness;
  json parsed = json::parse(text, std::ref(strictness), false);
  if (!parsed.is_object() || !strictness.is_sound()) return std::nullopt;
  return parsed;
}

std::optional<std::string> text_member(const json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace weir::auth
