#include "compute/boot/protocol.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::compute {
namespace {

constexpr int exit_status_max = 255;
constexpr std::int64_t wall_ms_max = 253'402'300'799'999;  // year 9999

// Takes a decimal number and the space after it, if any, from the front of `text`.
std::optional<std::int64_t> take_number(std::string_view& text, std::int64_t max) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0 || value > max) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with(' ')) {
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
  }
  return value;
}

bool take_word(std::string_view& line, std::string_view word) {
  if (!line.starts_with(word)) return false;
  line.remove_prefix(word.size());
  return true;
}

void take_line(std::string_view line, UserDataStatus& status) {
  if (take_word(line, "user-data started ")) {
    if (take_number(line, wall_ms_max) && line.empty()) status.state = UserDataState::running;
    return;
  }
  if (!take_word(line, "user-data finished ")) return;
  const auto finished_ms = take_number(line, wall_ms_max);
  const auto exit_status = finished_ms ? take_number(line, exit_status_max) : std::nullopt;
  if (!exit_status || !line.empty()) return;
  status.state = *exit_status == 0 ? UserDataState::succeeded : UserDataState::failed;
  status.exit_status = static_cast<int>(*exit_status);
  status.finished_ms = *finished_ms;
}

}  // namespace

UserDataStatus parse_status(std::string_view file_content) {
  UserDataStatus status;
  file_content = file_content.substr(0, status_file_bytes_max);
  // A line without its end is still being written.
  for (auto end = file_content.find('\n'); end != std::string_view::npos;
       end = file_content.find('\n')) {
    take_line(file_content.substr(0, end), status);
    if (status.finished_ms != 0) break;
    file_content.remove_prefix(end + 1);
  }
  return status;
}

}  // namespace weir::compute
