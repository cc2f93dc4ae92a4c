// What a daemon started in the background tells the one who started it: one line of JSON, then the
// end of the file.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace weir::daemon {

// Where the time of a start went, in order.
class StartTimings {
 public:
  void mark(std::string phase) {
    const auto now = monotonic_ns();
    phases_.emplace_back(std::move(phase), static_cast<double>(now - last_ns_) / 1e6);
    last_ns_ = now;
  }
  [[nodiscard]] const std::vector<std::pair<std::string, double>>& phases() const {
    return phases_;
  }

 private:
  std::int64_t last_ns_ = monotonic_ns();
  std::vector<std::pair<std::string, double>> phases_;  // name, milliseconds
};

// Both close the descriptor. -1: nobody waits.
void send_ready(int fd, const StartTimings& timings);
void send_start_failed(int fd, const Error& error);

// The other side. The error is the daemon's, or "DaemonEnded" where it said nothing.
[[nodiscard]] Result<std::vector<std::pair<std::string, double>>> read_ready(int fd);

}  // namespace weir::daemon
