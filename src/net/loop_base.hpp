// What both back ends share: clock, timers, mailbox, buffers, and the list of streams with
// something to send at the end of the turn.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "net/loop.hpp"
#include "net/mailbox.hpp"
#include "net/piping.hpp"
#include "net/timer_wheel.hpp"

namespace weir::net {

// Accepting pauses for this long where descriptors have run out.
inline constexpr std::int64_t accept_pause_ms = 100;
// Pieces given to one send call.
inline constexpr std::size_t send_pieces_max = 32;
// Of a peer that lingers no more than this is read and dropped.
inline constexpr std::uint32_t linger_bytes_max = 1'048'576;

class LoopBase : public Loop {
 public:
  explicit LoopBase(const LoopOptions& options)
      : pool_(options.buffer_bytes), wheel_(monotonic_ms()) {
    read_clock();
  }

  void schedule(Timer& timer, std::int64_t delay_ms) override {
    wheel_.schedule(timer, now_ms_ + delay_ms);
  }
  void cancel(Timer& timer) override { wheel_.cancel(timer); }
  void post(std::function<void()> task) override { mailbox_.post(std::move(task)); }
  Buffer buffer() override { return pool_.acquire(); }
  [[nodiscard]] std::int64_t now_ms() const override { return now_ms_; }
  [[nodiscard]] std::int64_t now_us() const override { return now_us_; }
  void stop() override {
    post([this] { stopping_ = true; });
  }

  void at_turn_end(TurnEnd& what) override { turn_ends_.push_back(&what); }
  [[nodiscard]] BufferPool& pool() override { return pool_; }
  [[nodiscard]] PipePool& pipes() { return pipes_; }

 protected:
  void read_clock() {
    now_us_ = monotonic_ns() / 1000;
    now_ms_ = now_us_ / 1000;
  }

  // Those that are asked for by one of them wait for the next turn.
  void end_turn() {
    turn_ends_running_.swap(turn_ends_);
    for (TurnEnd* each : turn_ends_running_) each->on_turn_end();
    turn_ends_running_.clear();
  }

  BufferPool pool_;
  PipePool pipes_;
  std::int64_t now_us_ = 0;
  std::int64_t now_ms_ = 0;
  TimerWheel wheel_;
  Mailbox mailbox_;
  std::vector<TurnEnd*> turn_ends_, turn_ends_running_;
  bool stopping_ = false;
};

// For the calling thread: splice() to a socket whose peer has gone raises SIGPIPE, and unlike with
// send() there is no flag against it.
void block_broken_pipe_signal();

[[nodiscard]] Result<std::unique_ptr<Loop>> create_epoll_loop(const LoopOptions& options);
[[nodiscard]] Result<std::unique_ptr<Loop>> create_uring_loop(const LoopOptions& options);

}  // namespace weir::net
