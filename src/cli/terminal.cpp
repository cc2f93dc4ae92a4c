#include "cli/terminal.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace weir::cli {
namespace {

bool wants_colour(std::FILE* stream) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return ::isatty(::fileno(stream)) == 1 && (no_colour == nullptr || *no_colour == '\0') &&
         terminal != nullptr && std::string_view{terminal} != "dumb";
}

std::string_view escape_of(Colour colour) {
  switch (colour) {
    case Colour::none:
      return "";
    case Colour::green:
      return "\x1b[32m";
    case Colour::red:
      return "\x1b[31m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::bold:
      return "\x1b[1m";
  }
  return "";
}

// Code points, so that a "·" takes one column.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

std::string coloured(std::FILE* stream, Colour colour, std::string_view text) {
  if (colour == Colour::none || text.empty() || !wants_colour(stream)) return std::string{text};
  return fmt::format("{}{}\x1b[0m", escape_of(colour), text);
}

Table::Table(std::vector<std::string> headings) {
  std::vector<Cell> row;
  for (auto& heading : headings) row.push_back({std::move(heading), Colour::dim});
  rows_.push_back(std::move(row));
}

void Table::add(std::vector<Cell> row) {
  row.resize(rows_.front().size());
  rows_.push_back(std::move(row));
}

std::string Table::text(std::FILE* stream, std::string_view indent) const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i].text));
    }
  }
  std::string result;
  for (const auto& row : rows_) {
    std::size_t last = row.size();
    while (last > 1 && row[last - 1].text.empty()) --last;
    result += indent;
    for (std::size_t i = 0; i < last; ++i) {
      result += coloured(stream, row[i].colour, row[i].text);
      if (i + 1 < last) result.append(widths[i] - width_of(row[i].text) + 2, ' ');
    }
    result += '\n';
  }
  return result;
}

Progress::Progress(bool is_quiet) : is_quiet_(is_quiet), is_live_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::update(const std::string& text) {
  if (is_quiet_ || !is_live_) return;
  std::fputs(fmt::format("\r\x1b[K{}", text).c_str(), stderr);
  has_live_line_ = true;
}

void Progress::line(const std::string& text) {
  if (is_quiet_) return;
  clear();
  std::fputs((text + "\n").c_str(), stderr);
}

void Progress::clear() {
  if (has_live_line_) std::fputs("\r\x1b[K", stderr);
  has_live_line_ = false;
}

std::string duration_text(double ms) {
  if (ms < 1'000) return fmt::format("{:.0f} ms", ms);
  return fmt::format("{:.2f} s", ms / 1'000);
}

std::string counted(long count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace weir::cli
