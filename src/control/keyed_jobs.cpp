#include "control/keyed_jobs.hpp"

#include <algorithm>
#include <utility>

namespace weir::control {

KeyedJobs::KeyedJobs(std::size_t threads_max) : threads_max_(threads_max) {}

KeyedJobs::~KeyedJobs() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void KeyedJobs::add(std::string key, std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (is_ending_) return;
  waiting_.push_back({std::move(key), std::move(job)});
  if (idle_ < waiting_.size() && threads_.size() < threads_max_) {
    threads_.emplace_back([this] { run(); });
  }
  changed_.notify_one();
}

std::deque<KeyedJobs::Job>::iterator KeyedJobs::first_free() {
  return std::ranges::find_if(waiting_, [&](const Job& job) { return !busy_.contains(job.key); });
}

void KeyedJobs::run() {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    const auto next = first_free();
    if (next == waiting_.end()) {
      ++idle_;
      changed_.wait(lock);
      --idle_;
      continue;
    }
    Job job = std::move(*next);
    waiting_.erase(next);
    busy_.insert(job.key);
    lock.unlock();
    job.work();
    lock.lock();
    busy_.erase(job.key);
    // Jobs that waited for this key may run now; this thread takes one of them itself.
  }
}

}  // namespace weir::control
