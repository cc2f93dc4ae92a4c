// Work on instances: in order for each instance, side by side across them.
//
// A job carries the key of what it works on. While one runs, no other with its key does; jobs with
// one key run in the order in which they were added. So a launch, the stop that follows and the
// terminate after it need no locks between them. Threads are started when there is work for them,
// up to a maximum, and stay.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace weir::control {

class KeyedJobs {
 public:
  explicit KeyedJobs(std::size_t threads_max);
  // Waits for the jobs that run; those that wait are dropped.
  ~KeyedJobs();
  KeyedJobs(const KeyedJobs&) = delete;
  KeyedJobs& operator=(const KeyedJobs&) = delete;

  // Any thread, a job's included.
  void add(std::string key, std::function<void()> job);

 private:
  struct Job {
    std::string key;
    std::function<void()> work;
  };

  void run();
  [[nodiscard]] std::deque<Job>::iterator first_free();  // under mutex_

  const std::size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  std::set<std::string> busy_;
  std::size_t idle_ = 0;
  bool is_ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace weir::control
