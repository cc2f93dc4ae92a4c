// When a target is checked: a sequence of points in time, without a clock of its own.
//
// Two series run side by side. The counting one is a grid of the configured interval, kept whatever
// answers take; its phase differs from target to target, so that ten thousand registered together
// do not burst. The quick one serves a target that has just come: it tries at once and again and
// again until settle(), at steps that grow with the time already waited, so what it costs grows
// only with the logarithm of the waiting.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weir::health {

class Schedule {
 public:
  static constexpr std::int64_t quick_step_ms = 50;
  static constexpr std::int64_t quick_steps_of_waiting = 20;

  struct Next {
    std::int64_t at_ms = 0;
    bool counts = false;
  };

  // `spread`: any number that differs from target to target. The first counting check comes after
  // half an interval at the earliest and one interval at the latest.
  Schedule(std::int64_t now_ms, std::int64_t interval_ms, std::uint64_t spread)
      : interval_ms_(interval_ms), quick_since_ms_(now_ms), quick_at_ms_(now_ms) {
    const auto half = static_cast<std::uint64_t>(interval_ms / 2);
    counting_at_ms_ = now_ms + interval_ms - static_cast<std::int64_t>(spread % (half + 1));
  }

  [[nodiscard]] Next next() const {
    if (is_quick_ && quick_at_ms_ < counting_at_ms_) return {quick_at_ms_, false};
    return {counting_at_ms_, true};
  }
  [[nodiscard]] bool is_quick() const { return is_quick_; }

  // The check of next() begins or is passed over: on to the one after it. `quick_step_ms_min` slows
  // the quick series where many targets are in it.
  void advance(std::int64_t now_ms, std::int64_t quick_step_ms_min = 0) {
    if (next().counts) {
      const std::int64_t missed = std::max<std::int64_t>(0, now_ms - counting_at_ms_);
      counting_at_ms_ += interval_ms_ * (missed / interval_ms_ + 1);
    } else {
      const std::int64_t waited = now_ms - quick_since_ms_;
      quick_at_ms_ =
          now_ms + std::max({quick_step_ms, waited / quick_steps_of_waiting, quick_step_ms_min});
    }
  }

  void settle() { is_quick_ = false; }  // the target has its first verdict
  void restart_quick(std::int64_t now_ms) {
    is_quick_ = true;
    quick_since_ms_ = quick_at_ms_ = now_ms;
  }
  // Keeps the phase as far as it can: the next counting check is at most one interval away.
  void set_interval(std::int64_t now_ms, std::int64_t interval_ms) {
    interval_ms_ = interval_ms;
    counting_at_ms_ = std::min(counting_at_ms_, now_ms + interval_ms);
  }

 private:
  std::int64_t interval_ms_;
  std::int64_t quick_since_ms_;
  std::int64_t quick_at_ms_;
  std::int64_t counting_at_ms_ = 0;
  bool is_quick_ = true;
};

}  // namespace weir::health
