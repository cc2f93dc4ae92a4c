#include "proxy/anomaly_thread.hpp"

#include <pthread.h>

#include <chrono>
#include <utility>

#include "balancing/anomaly.hpp"

namespace weir::proxy {

AnomalyThread::AnomalyThread() : thread_([this](const std::stop_token& stop) { run(stop); }) {
  pthread_setname_np(thread_.native_handle(), "weir-anomalies");
}

void AnomalyThread::apply(routing::SnapshotPtr snapshot) {
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(snapshot);
}

void AnomalyThread::run(const std::stop_token& stop) {
  balancing::AnomalyWatch watch;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    stopped_.wait_for(lock, stop, std::chrono::milliseconds(balancing::AnomalyWatch::interval_ms),
                      [] { return false; });
    const routing::SnapshotPtr snapshot = snapshot_;
    if (stop.stop_requested() || !snapshot) continue;
    lock.unlock();
    watch.look(*snapshot);
    lock.lock();
  }
}

}  // namespace weir::proxy
