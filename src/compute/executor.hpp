// Threads for straight-line code that blocks: each task gets one, idle ones are used again.
//
// There is no limit here: the holder bounds the requests under way, and the number of instances
// bounds the rest. A command that runs for hours in an instance therefore never keeps a launch
// waiting.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace weir::compute {

class Executor {
 public:
  // Any thread. The task must not throw.
  void submit(std::function<void()> task);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable woken_;
  std::deque<std::function<void()>> tasks_;
  std::size_t idle_ = 0;
};

}  // namespace weir::compute
