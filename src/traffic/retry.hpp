// When a request may be sent again, and how many may be at a time.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>

namespace weir::traffic {

struct RetryPolicy {
  static constexpr int status_min = 400;
  static constexpr int status_max = 599;

  bool on_connect_failure = true;
  // A kept-alive connection that the target has closed before it can have seen the request.
  bool on_stale = true;
  // Any connection that ends before the answer begins.
  bool on_reset = false;
  int attempts = 2;  // after the first
  std::uint32_t budget_percent = 20;
  std::int64_t per_try_timeout_ms = 0;  // 0: none

  void add_status(int status) {
    statuses_.set(static_cast<std::size_t>(status - status_min));
    has_statuses_ = true;
  }
  [[nodiscard]] bool is_on_status(int status) const {
    return has_statuses_ && status >= status_min && status <= status_max &&
           statuses_[static_cast<std::size_t>(status - status_min)];
  }
  // Whether a request that a target may have seen can ever be sent again.
  [[nodiscard]] bool repeats_requests() const {
    return on_reset || has_statuses_ || per_try_timeout_ms > 0;
  }

 private:
  std::bitset<status_max - status_min + 1> statuses_;
  bool has_statuses_ = false;
};

// Of one worker and target group: the requests that a target may have worked on already and that
// are sent again are at most so many percent of those under way, so that retries cannot bury a
// group that is in trouble. Replays of what no target has seen add no load and need none.
class RetryBudget {
 public:
  static constexpr std::uint32_t retries_min = 3;

  void begin_request() { ++active_; }
  void end_request() { --active_; }
  [[nodiscard]] bool begin_retry(std::uint32_t percent) {
    if (retries_ >= std::max(retries_min, active_ * percent / 100)) return false;
    ++retries_;
    return true;
  }
  void end_retry() { --retries_; }

 private:
  std::uint32_t active_ = 0;
  std::uint32_t retries_ = 0;
};

}  // namespace weir::traffic
