#include "traffic/accept_encoding.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace weir::traffic {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_word(std::string_view text, std::string_view lower_word) {
  return std::ranges::equal(text, lower_word, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
}

// "0.5" in thousandths: 0 or 1, up to three decimals, at most 1.
std::optional<int> thousandths(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int value = (text[0] - '0') * 1000;
  if (text.size() == 1) return value;
  if (text[1] != '.' || text.size() > 5) return std::nullopt;
  int place = 100;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') return std::nullopt;
    value += (c - '0') * place;
    place /= 10;
  }
  if (value > 1000) return std::nullopt;
  return value;
}

// Of ";q=0.5"; 1000 without parameters, nothing where they are of another form.
std::optional<int> weight_of(std::string_view parameters) {
  if (parameters.empty()) return 1000;
  const std::string_view parameter = trimmed(parameters.substr(1));
  const std::size_t equals = parameter.find('=');
  if (equals == std::string_view::npos || !is_word(parameter.substr(0, equals), "q"))
    return std::nullopt;
  return thousandths(parameter.substr(equals + 1));
}

std::optional<Encoding> encoding_of(std::string_view name) {
  if (is_word(name, "gzip") || is_word(name, "x-gzip")) return Encoding::gzip;
  if (is_word(name, "br")) return Encoding::br;
  if (is_word(name, "zstd")) return Encoding::zstd;
  if (is_word(name, "identity")) return Encoding::identity;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::br:
      return "br";
    case Encoding::gzip:
      return "gzip";
    case Encoding::zstd:
      return "zstd";
    case Encoding::identity:
      break;
  }
  return "identity";
}

void AcceptEncoding::add(std::string_view value) {
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(','), value.size());
    take(trimmed(value.substr(0, end)));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
}

void AcceptEncoding::take(std::string_view item) {
  const std::size_t semicolon = std::min(item.find(';'), item.size());
  const std::string_view name = trimmed(item.substr(0, semicolon));
  const auto weight = weight_of(item.substr(semicolon));
  if (!weight) return;
  if (name == "*") weight_of_others_ = *weight;
  if (const auto encoding = encoding_of(name))
    weights_[static_cast<std::size_t>(*encoding)] = *weight;
}

int AcceptEncoding::weight(Encoding encoding) const {
  const int own = weights_[static_cast<std::size_t>(encoding)];
  if (own != unset) return own;
  // Identity is acceptable unless it is refused, but it is nobody's wish.
  if (encoding == Encoding::identity) return 0;
  return weight_of_others_ == unset ? 0 : weight_of_others_;
}

Encoding AcceptEncoding::best_of(std::span<const Encoding> offered) const {
  Encoding best = Encoding::identity;
  int best_weight = 0;
  for (const Encoding encoding : offered) {
    if (weight(encoding) <= best_weight) continue;
    best = encoding;
    best_weight = weight(encoding);
  }
  return best_weight >= weight(Encoding::identity) ? best : Encoding::identity;
}

}  // namespace weir::traffic
