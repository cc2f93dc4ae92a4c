// The look-alike test folds a name as a careless parser might, then compares letters and digits.
#include "http/desync.hpp"

#include <cstddef>

namespace weir::http {
namespace {

// Takes one letter or digit off the front of `text`, folded to lower case; 0 for what is stripped.
// Beside ASCII: ſ (U+017F) and ı (U+0131) become S and I in upper case, İ (U+0130) becomes i in
// lower case, and compatibility forms (NFKC) turn the full-width letters into ASCII.
char take_folded(std::string_view& text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned c = byte(0);
  const auto take = [&](std::size_t bytes, unsigned folded) {
    text.remove_prefix(bytes);
    return static_cast<char>(folded);
  };
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) return take(1, c);
  if (c >= 'A' && c <= 'Z') return take(1, c | 0x20U);
  if (c == 0xc5 && byte(1) == 0xbf) return take(2, 's');
  if (c == 0xc4 && (byte(1) == 0xb0 || byte(1) == 0xb1)) return take(2, 'i');
  if (c == 0xef && byte(1) == 0xbc && byte(2) >= 0xa1 && byte(2) <= 0xba) {
    return take(3, byte(2) - 0xa1 + 'a');  // U+FF21–FF3A
  }
  if (c == 0xef && byte(1) == 0xbd && byte(2) >= 0x81 && byte(2) <= 0x9a) {
    return take(3, byte(2) - 0x81 + 'a');  // U+FF41–FF5A
  }
  return take(1, 0);
}

bool folds_to(std::string_view name, std::string_view letters) {
  while (!name.empty()) {
    const char c = take_folded(name);
    if (c == 0) continue;
    if (letters.empty() || letters.front() != c) return false;
    letters.remove_prefix(1);
  }
  return letters.empty();
}

}  // namespace

LookAlike look_alike(std::string_view name) {
  if (folds_to(name, "transferencoding")) return LookAlike::transfer_encoding;
  if (folds_to(name, "contentlength")) return LookAlike::content_length;
  return LookAlike::none;
}

}  // namespace weir::http
