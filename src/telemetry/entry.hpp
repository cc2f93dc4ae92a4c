// A record as it travels through a ring to the log's thread: its kind, numbers as they are, then
// every text with its length. Only the functions here know the form; both ends are the same
// program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "routing/log_policy.hpp"

namespace weir::telemetry {

using routing::LogKind;

// `Text_` names the texts and has `load_balancer_arn` and `node_ip` among them.
template <LogKind kind_, typename Numbers_, typename Text_>
struct Entry {
  using Numbers = Numbers_;
  using Text = Text_;
  static constexpr LogKind kind = kind_;
  static_assert(std::is_trivially_copyable_v<Numbers>);

  Numbers numbers;
  std::array<std::string_view, static_cast<std::size_t>(Text::count_)> texts;

  [[nodiscard]] std::string_view text(Text which) const {
    return texts[static_cast<std::size_t>(which)];
  }
  [[nodiscard]] std::string_view& text(Text which) {
    return texts[static_cast<std::size_t>(which)];
  }
};

void pack_bytes(LogKind kind, std::string_view numbers, std::span<const std::string_view> texts,
                std::string& out);
void unpack_texts(std::string_view bytes, std::span<std::string_view> texts);

// Replaces what `out` holds; its memory is used again.
template <LogKind kind, typename Numbers, typename Text>
void pack(const Entry<kind, Numbers, Text>& entry, std::string& out) {
  pack_bytes(kind, {reinterpret_cast<const char*>(&entry.numbers), sizeof entry.numbers},
             entry.texts, out);
}

[[nodiscard]] inline LogKind kind_of(std::string_view bytes) {
  return static_cast<LogKind>(bytes.front());
}

// Of bytes of this kind. Views into `bytes`.
template <typename AnEntry>
[[nodiscard]] AnEntry unpack(std::string_view bytes) {
  AnEntry entry;
  bytes.remove_prefix(1);
  std::memcpy(&entry.numbers, bytes.data(), sizeof entry.numbers);
  unpack_texts(bytes.substr(sizeof entry.numbers), entry.texts);
  return entry;
}

}  // namespace weir::telemetry
