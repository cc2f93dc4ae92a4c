#include "stacks/graph_run.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace weir::stacks {

namespace {

enum class Phase : std::uint8_t { start, finish };

struct Task {
  std::size_t node;
  Phase phase;
};

struct Ended {
  std::size_t node;
  Status status;
};

// The threads and the two queues between them and the caller.
class Threads {
 public:
  Threads(std::size_t count, GraphWork& work) : work_(work) {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Threads() {
    {
      const std::lock_guard lock(mutex_);
      is_ending_ = true;
    }
    has_task_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  void add(const std::vector<std::size_t>& nodes) {
    {
      const std::lock_guard lock(mutex_);
      for (const std::size_t node : nodes) tasks_.push_back({node, Phase::start});
    }
    has_task_.notify_all();
  }

  // From now on nothing is waited for.
  void stop() { is_stopped_ = true; }

  // Waits until there is something.
  std::vector<Ended> take_ended() {
    std::unique_lock lock(mutex_);
    has_ended_.wait(lock, [this] { return !ended_.empty(); });
    return std::exchange(ended_, {});
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      has_task_.wait(lock, [this] { return is_ending_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const Task task = tasks_.front();
      tasks_.pop_front();
      lock.unlock();
      const bool is_start = task.phase == Phase::start;
      Status status;
      if (is_start) {
        status = work_.start(task.node);
      } else if (!is_stopped_) {
        status = work_.finish(task.node, is_stopped_);
      } else {
        status = fail("Cancelled", "another resource failed");
      }
      lock.lock();
      if (is_start && status) {
        tasks_.push_back({task.node, Phase::finish});
        has_task_.notify_one();
      } else {
        ended_.push_back({task.node, std::move(status)});
        has_ended_.notify_one();
      }
    }
  }

  GraphWork& work_;
  std::mutex mutex_;
  std::condition_variable has_task_;
  std::condition_variable has_ended_;
  std::deque<Task> tasks_;
  std::vector<Ended> ended_;
  bool is_ending_ = false;
  std::atomic<bool> is_stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

bool run_graph(const std::vector<std::vector<std::size_t>>& needs, std::size_t threads_max,
               OnFailure on_failure, GraphWork& work) {
  std::vector<std::size_t> open(needs.size());  // needs that have not ended well yet
  std::vector<std::vector<std::size_t>> needed_by(needs.size());
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    open[i] = needs[i].size();
    for (const std::size_t need : needs[i]) needed_by[need].push_back(i);
    if (open[i] == 0) ready.push_back(i);
  }
  Threads threads(std::min(threads_max, needs.size()), work);
  std::size_t under_way = 0;
  std::size_t succeeded = 0;
  bool may_begin = true;
  const auto end = [&](std::size_t node, const Status& status) {
    work.end(node, status);
    if (!status) {
      if (on_failure == OnFailure::stop) {
        may_begin = false;
        threads.stop();
      }
      return;
    }
    ++succeeded;
    for (const std::size_t other : needed_by[node]) {
      if (--open[other] == 0) ready.push_back(other);
    }
  };
  while (true) {
    std::vector<std::size_t> begun;
    for (const std::size_t node : std::exchange(ready, {})) {
      if (!may_begin) break;
      if (const Status status = work.begin(node)) {
        begun.push_back(node);
      } else {
        end(node, status);
      }
    }
    if (const Status saved = work.save(); !saved) {
      may_begin = false;
      for (const std::size_t node : std::exchange(begun, {})) end(node, saved);
    }
    under_way += begun.size();
    threads.add(begun);
    if (under_way == 0) {
      if (may_begin && !ready.empty()) continue;
      return succeeded == needs.size();
    }
    for (Ended& ended : threads.take_ended()) {
      --under_way;
      end(ended.node, ended.status);
    }
  }
}

}  // namespace weir::stacks
