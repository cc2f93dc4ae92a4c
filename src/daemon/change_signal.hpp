// "Something has changed": a counter that can be waited on.
//
// Whoever waits for a state (all targets healthy, an instance running) takes the count, looks, and
// sleeps until the count is another: no change can be missed and nothing is polled.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace weir::daemon {

class ChangeSignal {
 public:
  void raise() {
    {
      std::lock_guard lock(mutex_);
      ++count_;
    }
    changed_.notify_all();
  }

  [[nodiscard]] std::uint64_t count() const {
    std::lock_guard lock(mutex_);
    return count_;
  }

  // Returns when the count is no longer `seen`, at the latest after `timeout`.
  void wait(std::uint64_t seen, std::chrono::milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return count_ != seen; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::uint64_t count_ = 0;
};

}  // namespace weir::daemon
