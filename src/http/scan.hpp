// Byte classes, and searches for the first byte outside one: 16 at a time with SSE2, one by one
// elsewhere and where fewer than 16 are left (a load never crosses the end).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weir::http {

// What a byte may be part of.
enum ByteClass : std::uint8_t {
  in_name = 1,        // [-A-Za-z0-9]
  in_token = 2,       // RFC 9110 §5.6.2
  in_reg_name = 4,    // RFC 3986 §3.2.2, without '%'
  is_visible = 8,     // 0x21–0x7e
  is_control = 16,    // below 0x20 and 0x7f, without HTAB
  is_forbidden = 32,  // NUL, CR, LF
  is_not_ascii = 64,
  is_space = 128,  // SP, HTAB
};

consteval std::array<std::uint8_t, 256> make_byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto add = [&](std::string_view bytes, int bits) {
    for (const char c : bytes) {
      auto& entry = classes[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint8_t>(entry | bits);
    }
  };
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
      in_name | in_token | in_reg_name);
  add("-", in_name);
  add("!#$%&'*+-.^_`|~", in_token);
  add("-._~!$&'()*+,;=", in_reg_name);
  add(" \t", is_space);
  add(std::string_view("\0\r\n", 3), is_forbidden);
  for (unsigned i = 0; i < 256; ++i) {
    int bits = 0;
    if (i > 0x20 && i < 0x7f) bits |= is_visible;
    if ((i < 0x20 && i != '\t') || i == 0x7f) bits |= is_control;
    if (i >= 0x80) bits |= is_not_ascii;
    classes[i] = static_cast<std::uint8_t>(classes[i] | bits);
  }
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> byte_classes = make_byte_classes();

[[nodiscard]] inline bool is_in(char c, unsigned classes) {
  return (byte_classes[static_cast<unsigned char>(c)] & classes) != 0;
}

[[nodiscard]] inline bool all_in(std::string_view text, unsigned classes) {
  for (const char c : text) {
    if (!is_in(c, classes)) return false;
  }
  return true;
}

// The classes that any byte of `text` belongs to.
[[nodiscard]] inline unsigned classes_of(std::string_view text) {
  unsigned classes = 0;
  for (const char c : text) classes |= byte_classes[static_cast<unsigned char>(c)];
  return classes;
}

[[nodiscard]] inline std::string_view trim_spaces(std::string_view text) {
  while (!text.empty() && is_in(text.front(), is_space)) text.remove_prefix(1);
  while (!text.empty() && is_in(text.back(), is_space)) text.remove_suffix(1);
  return text;
}

[[nodiscard]] inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Value of a hexadecimal digit, or -1.
[[nodiscard]] inline int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

#if defined(__SSE2__)
namespace sse2 {

inline __m128i load16(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
inline __m128i all(char c) { return _mm_set1_epi8(c); }

// 0xff where first <= byte < first + count, unsigned.
inline __m128i in_range(__m128i bytes, char first, int count) {
  const __m128i shifted = _mm_add_epi8(bytes, all(static_cast<char>(0x80 - first)));
  return _mm_cmplt_epi8(shifted, all(static_cast<char>(-128 + count)));
}

inline unsigned mask(__m128i bytes) { return static_cast<unsigned>(_mm_movemask_epi8(bytes)); }

}  // namespace sse2
#endif

// The first byte that is not in [-A-Za-z0-9], or `end`.
[[nodiscard]] inline const char* skip_name(const char* at, const char* end) {
#if defined(__SSE2__)
  while (end - at >= 16) {
    const __m128i bytes = sse2::load16(at);
    const __m128i letters = sse2::in_range(_mm_or_si128(bytes, sse2::all(0x20)), 'a', 26);
    const __m128i digits = sse2::in_range(bytes, '0', 10);
    const __m128i hyphens = _mm_cmpeq_epi8(bytes, sse2::all('-'));
    const unsigned outside =
        sse2::mask(_mm_or_si128(_mm_or_si128(letters, digits), hyphens)) ^ 0xffffU;
    if (outside != 0) return at + std::countr_zero(outside);
    at += 16;
  }
#endif
  while (at != end && is_in(*at, in_name)) ++at;
  return at;
}

// The first byte that is not in 0x20–0x7e, or `end`.
[[nodiscard]] inline const char* skip_printable(const char* at, const char* end) {
#if defined(__SSE2__)
  while (end - at >= 16) {
    const __m128i bytes = sse2::load16(at);
    // Signed: what is below 0x20 includes what is above 0x7f.
    const unsigned outside = sse2::mask(_mm_or_si128(_mm_cmplt_epi8(bytes, sse2::all(0x20)),
                                                     _mm_cmpeq_epi8(bytes, sse2::all(0x7f))));
    if (outside != 0) return at + std::countr_zero(outside);
    at += 16;
  }
#endif
  while (at != end && (*at == ' ' || is_in(*at, is_visible))) ++at;
  return at;
}

// The first byte that does not belong in a request target (not in 0x21–0x7e, or '#'), or `end`.
[[nodiscard]] inline const char* skip_target(const char* at, const char* end) {
#if defined(__SSE2__)
  while (end - at >= 16) {
    const __m128i bytes = sse2::load16(at);
    const __m128i outside = _mm_or_si128(_mm_cmplt_epi8(bytes, sse2::all(0x21)),
                                         _mm_or_si128(_mm_cmpeq_epi8(bytes, sse2::all(0x7f)),
                                                      _mm_cmpeq_epi8(bytes, sse2::all('#'))));
    const unsigned found = sse2::mask(outside);
    if (found != 0) return at + std::countr_zero(found);
    at += 16;
  }
#endif
  while (at != end && *at != '#' && is_in(*at, is_visible)) ++at;
  return at;
}

}  // namespace weir::http
