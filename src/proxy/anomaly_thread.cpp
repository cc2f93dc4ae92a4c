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
  // One that need not be watched is not held on to.
  if (!balancing::AnomalyWatch::is_needed(*snapshot)) snapshot.reset();
  {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(snapshot);
  }
  changed_.notify_one();
}

void AnomalyThread::run(const std::stop_token& stop) {
  balancing::AnomalyWatch watch;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    changed_.wait(lock, stop, [this] { return snapshot_ != nullptr; });
    const auto interval = std::chrono::milliseconds(balancing::AnomalyWatch::interval_ms);
    const auto due = std::chrono::steady_clock::now() + interval;
    changed_.wait_until(lock, stop, due, [this] { return snapshot_ == nullptr; });
    const routing::SnapshotPtr snapshot = snapshot_;
    if (stop.stop_requested() || !snapshot) continue;
    lock.unlock();
    watch.look(*snapshot);
    const bool is_over = !balancing::AnomalyWatch::is_needed(*snapshot);
    lock.lock();
    if (is_over && snapshot_ == snapshot) snapshot_.reset();
  }
}

}  // namespace weir::proxy
