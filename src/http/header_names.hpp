// A header's id from its name, without a table or a hash: a switch on the length leaves at most
// four candidates, each compared in two or three word-sized loads that fold case with one OR.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "http/message.hpp"

namespace weir::http {

// A lower-case word as a template argument.
template <std::size_t N>
struct Word {
  consteval Word(const char (&text)[N]) {  // NOLINT: implicit, so that a literal can be given
    for (std::size_t i = 0; i < N; ++i) bytes[i] = text[i];
  }
  char bytes[N];
  static constexpr std::size_t size = N - 1;
};

template <typename Unit>
[[nodiscard]] inline Unit load(const char* at) {
  Unit unit;
  std::memcpy(&unit, at, sizeof unit);
  return unit;
}

// `size` bytes of the word from `offset`, as load() would see them; `fold`: the bits that tell
// upper from lower case (of letters only: '-' must not match 0x0d).
template <typename Unit, Word word>
consteval Unit word_unit(std::size_t offset, bool fold) {
  std::array<char, sizeof(Unit)> bytes{};
  for (std::size_t i = 0; i < sizeof(Unit); ++i) {
    const char c = word.bytes[offset + i];
    bytes[i] = !fold ? c : (c >= 'a' && c <= 'z') ? char{0x20} : char{0};
  }
  return std::bit_cast<Unit>(bytes);
}

template <typename Unit, Word word, std::size_t offset>
[[nodiscard]] inline bool unit_is(const char* text) {
  constexpr Unit expected = word_unit<Unit, word>(offset, false);
  constexpr Unit fold = word_unit<Unit, word>(offset, true);
  return static_cast<Unit>(load<Unit>(text + offset) | fold) == expected;
}

// Whether the word.size bytes at `text` are the word, in any case.
template <Word word>
[[nodiscard]] inline bool is_word(const char* text) {
  constexpr std::size_t size = word.size;
  if constexpr (size > 16) {
    return unit_is<std::uint64_t, word, 0>(text) && unit_is<std::uint64_t, word, 8>(text) &&
           unit_is<std::uint64_t, word, size - 8>(text);
  } else if constexpr (size >= 8) {
    return unit_is<std::uint64_t, word, 0>(text) && unit_is<std::uint64_t, word, size - 8>(text);
  } else if constexpr (size >= 4) {
    return unit_is<std::uint32_t, word, 0>(text) && unit_is<std::uint32_t, word, size - 4>(text);
  } else {
    static_assert(size == 2);
    return unit_is<std::uint16_t, word, 0>(text);
  }
}

template <Word word>
[[nodiscard]] inline bool is_word(std::string_view text) {
  return text.size() == word.size && is_word<word>(text.data());
}

[[nodiscard]] inline HeaderId id_of_name(const char* name, std::size_t size) {
  switch (size) {
    case 2:
      return is_word<"te">(name) ? HeaderId::te : HeaderId::other;
    case 4:
      if (is_word<"host">(name)) return HeaderId::host;
      return is_word<"date">(name) ? HeaderId::date : HeaderId::other;
    case 6:
      if (is_word<"cookie">(name)) return HeaderId::cookie;
      if (is_word<"expect">(name)) return HeaderId::expect;
      return is_word<"server">(name) ? HeaderId::server : HeaderId::other;
    case 7:
      if (is_word<"upgrade">(name)) return HeaderId::upgrade;
      return is_word<"trailer">(name) ? HeaderId::trailer : HeaderId::other;
    case 10:
      if (is_word<"connection">(name)) return HeaderId::connection;
      if (is_word<"user-agent">(name)) return HeaderId::user_agent;
      return is_word<"keep-alive">(name) ? HeaderId::keep_alive : HeaderId::other;
    case 14:
      return is_word<"content-length">(name) ? HeaderId::content_length : HeaderId::other;
    case 15:
      if (is_word<"x-forwarded-for">(name)) return HeaderId::x_forwarded_for;
      return is_word<"x-amzn-trace-id">(name) ? HeaderId::x_amzn_trace_id : HeaderId::other;
    case 16:
      if (is_word<"x-forwarded-port">(name)) return HeaderId::x_forwarded_port;
      return is_word<"proxy-connection">(name) ? HeaderId::proxy_connection : HeaderId::other;
    case 17:
      if (is_word<"transfer-encoding">(name)) return HeaderId::transfer_encoding;
      return is_word<"x-forwarded-proto">(name) ? HeaderId::x_forwarded_proto : HeaderId::other;
    default:
      return HeaderId::other;
  }
}

}  // namespace weir::http
