#include "net/timer_wheel.hpp"

#include <algorithm>

namespace weir::net {

// std::array needs to reach Timer's private constructor, hence the member function of a friend.
TimerWheel::Level::Level() : heads{} {}

TimerWheel::TimerWheel(std::int64_t now_ms) : tick_(now_ms / step_ms) {
  for (Level& level : wheel_)
    for (Timer& head : level.heads) make_empty(head);
}

TimerWheel::~TimerWheel() {
  // Timers outlive the wheel at times; leave none that points into it.
  for (Level& level : wheel_)
    for (Timer& head : level.heads)
      while (!is_empty(head)) head.next_->unlink();
  for (Level& level : wheel_)
    for (Timer& head : level.heads) head.next_ = head.previous_ = nullptr;
}

void TimerWheel::schedule(Timer& timer, std::int64_t deadline_ms) {
  timer.deadline_ms_ = deadline_ms;
  if (timer.is_scheduled() && deadline_ms >= timer.filed_ms_) return;
  timer.unlink();
  file(timer, deadline_ms);
}

void TimerWheel::file(Timer& timer, std::int64_t deadline_ms) {
  // Rounded up: never early. The current step has been run already.
  const std::int64_t due = std::max((deadline_ms + step_ms - 1) / step_ms, tick_ + 1);
  unsigned level = 0;
  while (level + 1 < levels && due - tick_ >= std::int64_t{1} << (level_bits * (level + 1)))
    ++level;
  const std::int64_t reach = std::int64_t{1} << (level_bits * levels);
  const std::int64_t placed = std::min(due, tick_ + reach - 1);
  const auto slot = static_cast<unsigned>(placed >> (level_bits * level)) & (slots - 1);
  Timer& head = wheel_[level].heads[slot];
  timer.filed_ms_ = deadline_ms;
  timer.previous_ = head.previous_;
  timer.next_ = &head;
  head.previous_->next_ = &timer;
  head.previous_ = &timer;
}

void TimerWheel::run_slot(Timer& head, std::int64_t now_ms) {
  if (is_empty(head)) return;
  // Callbacks change lists, so the slot is taken off the wheel first.
  Timer due;
  due.next_ = head.next_;
  due.previous_ = head.previous_;
  due.next_->previous_ = &due;
  due.previous_->next_ = &due;
  make_empty(head);
  while (!is_empty(due)) {
    Timer& timer = *due.next_;
    timer.unlink();
    if (timer.deadline_ms_ > now_ms) {
      file(timer, timer.deadline_ms_);
    } else {
      timer.on_expired_(timer.owner_);
    }
  }
  due.next_ = due.previous_ = nullptr;
}

void TimerWheel::advance(std::int64_t now_ms) {
  const std::int64_t target = now_ms / step_ms;
  while (tick_ < target) {
    ++tick_;
    // A level's slot comes up when all lower levels have wrapped.
    for (unsigned level = 1; level < levels; ++level) {
      if ((tick_ & ((std::int64_t{1} << (level_bits * level)) - 1)) != 0) break;
      const auto slot = static_cast<unsigned>(tick_ >> (level_bits * level)) & (slots - 1);
      run_slot(wheel_[level].heads[slot], tick_ * step_ms);
    }
    run_slot(wheel_[0].heads[static_cast<unsigned>(tick_) & (slots - 1)], tick_ * step_ms);
  }
}

std::int64_t TimerWheel::wait_ms(std::int64_t now_ms, std::int64_t limit_ms) const {
  // The next slot of the lowest level with a timer, or the next wrap where a higher level may move
  // timers down. Scanning 64 heads costs less than waking up for nothing.
  for (std::int64_t ahead = 1; ahead <= slots; ++ahead) {
    const std::int64_t tick = tick_ + ahead;
    const bool wraps = (tick & (slots - 1)) == 0;
    if (wraps || !is_empty(wheel_[0].heads[static_cast<unsigned>(tick) & (slots - 1)])) {
      return std::clamp<std::int64_t>(tick * step_ms - now_ms, 0, limit_ms);
    }
  }
  return limit_ms;
}

}  // namespace weir::net
