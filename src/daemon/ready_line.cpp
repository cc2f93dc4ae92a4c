#include "daemon/ready_line.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "daemon/json.hpp"

namespace weir::daemon {
namespace {

constexpr std::size_t ready_bytes_max = 65'536;

void write_and_close(int fd, const Json& line) {
  if (fd < 0) return;
  const auto text = to_line(line);
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(fd);
}

}  // namespace

void send_ready(int fd, const StartTimings& timings) {
  Json phases = Json::array();
  for (const auto& [phase, ms] : timings.phases()) {
    phases.push_back(Json{{"phase", phase}, {"ms", ms}});
  }
  write_and_close(fd, Json{{"ready", true}, {"timings", phases}});
}

void send_start_failed(int fd, const Error& error) { write_and_close(fd, error_json(error)); }

Result<std::vector<std::pair<std::string, double>>> read_ready(int fd) {
  std::string text;
  std::array<char, 4096> block;
  while (text.size() < ready_bytes_max) {
    const auto received = ::read(fd, block.data(), block.size());
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) break;
    text.append(block.data(), static_cast<std::size_t>(received));
  }
  const auto line = parse_json(text);
  if (!line || !line->is_object()) {
    return fail("DaemonEnded", "the daemon ended while it started", "its log says why");
  }
  if (line->contains("error")) return std::unexpected(error_from(*line));
  std::vector<std::pair<std::string, double>> phases;
  for (const auto& phase : line->value("timings", Json::array())) {
    phases.emplace_back(phase.value("phase", ""), phase.value("ms", 0.0));
  }
  return phases;
}

}  // namespace weir::daemon
