// A hierarchical timer wheel: 4 levels of 64 slots, 10 ms a step at the lowest, 46 hours in all.
//
// A timer is filed by its deadline in the coarsest level that still tells it from now; when the
// wheel comes to its slot it is filed again, a level lower, until it expires. Moving a deadline
// further away does not touch the lists: the timer is found not to be due when its slot comes up.
// Timers further away than the wheel reaches wait in its last slot and are filed again from there.
#pragma once

#include <array>
#include <cstdint>

#include "net/loop.hpp"

namespace weir::net {

class TimerWheel {
 public:
  static constexpr std::int64_t step_ms = 10;

  explicit TimerWheel(std::int64_t now_ms);
  ~TimerWheel();

  void schedule(Timer& timer, std::int64_t deadline_ms);
  void cancel(Timer& timer) { timer.unlink(); }
  // Runs the callbacks of all timers that are due. They may schedule and cancel any timer.
  void advance(std::int64_t now_ms);
  // Milliseconds until advance() may have something to do; `limit_ms` at most.
  [[nodiscard]] std::int64_t wait_ms(std::int64_t now_ms, std::int64_t limit_ms) const;

 private:
  static constexpr unsigned level_bits = 6;
  static constexpr unsigned slots = 1U << level_bits;
  static constexpr unsigned levels = 4;

  static void make_empty(Timer& head) { head.next_ = head.previous_ = &head; }
  static bool is_empty(const Timer& head) { return head.next_ == &head; }
  void file(Timer& timer, std::int64_t deadline_ms);
  void run_slot(Timer& head, std::int64_t now_ms);

  struct Level {
    std::array<Timer, slots> heads;
    Level();
  };
  std::array<Level, levels> wheel_;
  std::int64_t tick_;  // the step up to which all timers have been run
};

}  // namespace weir::net
