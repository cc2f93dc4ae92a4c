#include "routing/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace weir::routing {
namespace {

enum : std::uint8_t { clean = 0, upper = 1, hidden = 2 };

constexpr std::array<std::uint8_t, 256> classes = [] {
  std::array<std::uint8_t, 256> out{};
  for (std::size_t c = 0; c < out.size(); ++c) {
    if (c < 0x20 || c > 0x7e) out[c] = hidden;
    if (c >= 'A' && c <= 'Z') out[c] = upper;
  }
  return out;
}();

std::uint8_t class_of(char c) { return classes[static_cast<unsigned char>(c)]; }

void clean_into(std::string_view text, Case letter_case, std::string& out) {
  out.clear();
  for (const char c : text) {
    if (class_of(c) == hidden) continue;
    out += letter_case == Case::folded ? to_lower(c) : c;
  }
}

}  // namespace

char to_lower(char c) { return class_of(c) == upper ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string_view matchable(std::string_view text, Case letter_case, std::string& scratch) {
  unsigned seen = 0;
  for (const char c : text) seen |= class_of(c);
  const unsigned unwanted = letter_case == Case::folded ? hidden | upper : hidden;
  if ((seen & unwanted) == 0) return text;
  clean_into(text, letter_case, scratch);
  return scratch;
}

std::string matchable(std::string_view text, Case letter_case) {
  std::string out;
  clean_into(text, letter_case, out);
  return out;
}

bool equals_folded(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string_view without_port(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

}  // namespace weir::routing
