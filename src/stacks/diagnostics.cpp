#include "stacks/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>

#include "stacks/limits.hpp"

namespace weir::stacks {

void Diagnostics::add(Mark mark, std::string path, std::string message) {
  if (!is_full()) faults_.emplace(mark.line, mark.column, std::move(path), std::move(message));
}

void Diagnostics::merge(const Diagnostics& later) {
  const auto known = faults_;
  for (const auto& [line, column, path, message] : later.faults_) {
    const bool is_known = std::ranges::any_of(
        known, [&](const auto& fault) { return std::get<2>(fault).starts_with(path); });
    if (!is_known) add({line, column}, path, message);
  }
}

std::string Diagnostics::text() const {
  std::string out;
  std::size_t shown = 0;
  for (const auto& [line, column, path, message] : faults_) {
    if (shown == limits::faults_shown_max) {
      out += fmt::format("\n… and {} more", faults_.size() - shown);
      break;
    }
    if (shown++ > 0) out += '\n';
    out += line > 0 ? fmt::format("{}:{}:{}: ", file_name_, line, column)
                    : fmt::format("{}: ", file_name_);
    if (!path.empty()) out += path + ": ";
    out += message;
  }
  return out;
}

Error Diagnostics::error() const { return Error{"ValidationError", text(), {}}; }

namespace {

std::string lower(std::string_view word) {
  std::string out(word);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Edits (insert, delete, replace) that turn one word into the other.
std::size_t edit_distance(const std::string& from, const std::string& to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

constexpr std::size_t word_bytes_max = 48;  // longer ones are no typing mistakes
constexpr std::size_t known_max = 1000;     // comparing with more takes too long

}  // namespace

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.size() > word_bytes_max || known.size() > known_max) return {};
  const std::string wanted = lower(word);
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 4) + 1;
  for (const std::string_view candidate : known) {
    if (candidate.size() > word_bytes_max) continue;
    const std::size_t distance = edit_distance(wanted, lower(candidate));
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best.empty() ? std::string{} : fmt::format("; did you mean {}?", best);
}

std::string join_words(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " and " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace weir::stacks
