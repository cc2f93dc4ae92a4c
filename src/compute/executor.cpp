#include "compute/executor.hpp"

#include <chrono>
#include <thread>

namespace weir::compute {
namespace {

constexpr std::chrono::seconds idle_time_max{10};

}  // namespace

void Executor::submit(std::function<void()> task) {
  const std::scoped_lock lock(mutex_);
  tasks_.push_back(std::move(task));
  if (idle_ >= tasks_.size()) {
    woken_.notify_one();
  } else {
    std::thread([this] { work(); }).detach();
  }
}

void Executor::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    const bool has_task = woken_.wait_for(lock, idle_time_max, [&] { return !tasks_.empty(); });
    --idle_;
    if (!has_task) return;
    {
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
    lock.lock();
  }
}

}  // namespace weir::compute
