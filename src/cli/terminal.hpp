// What people see: colour only on a terminal that wants it, aligned tables, one live line while
// something takes its time (plain lines where nobody watches).
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace weir::cli {

enum class Colour { none, green, red, yellow, dim, bold };

// `text` in colour where `stream` is a terminal and NO_COLOR is not set.
[[nodiscard]] std::string coloured(std::FILE* stream, Colour colour, std::string_view text);

// Columns as wide as their longest cell, two spaces between them; the last is not padded. Colour
// does not count as width.
class Table {
 public:
  struct Cell {
    std::string text;
    Colour colour = Colour::none;
  };
  explicit Table(std::vector<std::string> headings);
  void add(std::vector<Cell> row);
  [[nodiscard]] std::string text(std::FILE* stream, std::string_view indent = "") const;

 private:
  std::vector<std::vector<Cell>> rows_;
};

// Progress on standard error. `update` replaces the live line (nothing on a pipe); `line` stays.
class Progress {
 public:
  explicit Progress(bool is_quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(const std::string& text);
  void line(const std::string& text);

 private:
  void clear();
  bool is_quiet_;
  bool is_live_;
  bool has_live_line_ = false;
};

// "0.74 s", "85 ms"
[[nodiscard]] std::string duration_text(double ms);

// "1 target", "9 targets"
[[nodiscard]] std::string counted(long count, std::string_view noun);

}  // namespace weir::cli
