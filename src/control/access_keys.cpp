#include "control/access_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace weir::control {
namespace {

constexpr std::string_view id_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
// 64 signs, so that a random number's six bits choose one evenly.
constexpr std::string_view secret_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t id_letters = 16;
constexpr std::size_t secret_letters = 40;
constexpr std::size_t name_length_max = 64;

std::string random_text(std::string_view alphabet, std::size_t length) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i)
    text.push_back(alphabet[static_cast<std::size_t>(random_u64() % alphabet.size())]);
  return text;
}

Status check_name(std::string_view name) {
  const bool is_plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("+=,.@_-").find(c) != std::string_view::npos;
  });
  if (is_plain && name.size() <= name_length_max) return {};
  return fail("InvalidName",
              fmt::format("a name has at most {} letters, digits and +=,.@_-", name_length_max));
}

}  // namespace

std::string make_access_key_id(std::string_view kind) {
  return std::string(kind) + random_text(id_alphabet, id_letters);
}

Result<model::AccessKey> create_access_key(Registry& registry, const std::string& name) {
  if (auto checked = check_name(name); !checked) return std::unexpected(checked.error());
  model::AccessKey key{make_access_key_id("AKIA"), random_text(secret_alphabet, secret_letters),
                       name, wall_ms()};
  auto made = registry.update([&](Draft& draft) -> Status {
    if (draft.state().access_keys.size() >= access_keys_max)
      return fail("LimitExceeded",
                  fmt::format("there are {} credentials already", access_keys_max));
    draft.put(key);
    return {};
  });
  if (!made) return std::unexpected(made.error());
  return key;
}

std::vector<model::AccessKey> list_access_keys(const Registry& registry) {
  std::vector<model::AccessKey> keys;
  registry.read([&](const State& state) {
    for (const auto& [id, key] : state.access_keys) keys.push_back(key);
  });
  for (auto& key : keys) key.secret.clear();
  std::ranges::stable_sort(keys, {}, &model::AccessKey::created_at_ms);
  return keys;
}

Status delete_access_key(Registry& registry, const std::string& id) {
  return registry.update([&](Draft& draft) -> Status {
    if (!draft.state().access_keys.contains(id))
      return fail("NoSuchEntity", fmt::format("there are no credentials '{}'", id),
                  "`weir credentials list` shows those there are");
    draft.erase_access_key(id);
    return {};
  });
}

}  // namespace weir::control
