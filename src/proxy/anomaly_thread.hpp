// The thread of the data plane that watches for anomalous targets (balancing/anomaly.hpp). It
// sleeps until a snapshot has a group that can be watched, so that an idle daemon stays idle.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "routing/snapshot.hpp"

namespace weir::proxy {

class AnomalyThread {
 public:
  AnomalyThread();  // runs until it is destroyed

  // Any thread.
  void apply(routing::SnapshotPtr snapshot);

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  routing::SnapshotPtr snapshot_;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace weir::proxy
