#include "control/stickiness_keys.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "model/base64.hpp"

namespace weir::control {
namespace {

constexpr std::size_t keys_kept = 2;

std::vector<const model::StickinessKey*> newest_first(const State& state) {
  std::vector<const model::StickinessKey*> keys;
  for (const auto& [id, key] : state.stickiness_keys) keys.push_back(&key);
  std::ranges::sort(keys, std::ranges::greater{}, &model::StickinessKey::created_at_ms);
  return keys;
}

bool is_due(const State& state, std::int64_t now_ms) {
  const auto keys = newest_first(state);
  return keys.empty() || now_ms - keys.front()->created_at_ms >= stickiness_key_age_ms_max;
}

std::string random_key() {
  std::string bytes;
  for (int word = 0; word < 4; ++word) {
    const std::uint64_t random = random_u64();
    for (unsigned byte = 0; byte < 8; ++byte)
      bytes.push_back(static_cast<char>(random >> (8 * byte) & 0xffU));
  }
  return model::base64_encode(bytes);
}

}  // namespace

Status rotate_stickiness_keys(Registry& registry, std::int64_t now_ms) {
  bool due = false;
  registry.read([&](const State& state) { due = is_due(state, now_ms); });
  if (!due) return {};
  return registry.update([&](Draft& draft) -> Status {
    const auto keys = newest_first(draft.state());
    std::vector<std::string> gone;
    for (std::size_t i = keys_kept - 1; i < keys.size(); ++i) gone.push_back(keys[i]->id);
    for (const std::string& id : gone) draft.erase_stickiness_key(id);
    std::string id = std::to_string(random_u64() & 0xffffffffU);
    while (draft.state().stickiness_keys.contains(id))
      id = std::to_string(random_u64() & 0xffffffffU);
    draft.put(model::StickinessKey{std::move(id), random_key(), now_ms});
    return {};
  });
}

}  // namespace weir::control
