#include "metrics/collector.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.hpp"

namespace weir::metrics {
namespace {

constexpr std::int64_t hosts_every_ms = 5'000;
constexpr std::int64_t minute_ms = minute_s * 1'000;

}  // namespace

Collector::Collector(MetricStore& store, std::shared_ptr<const telemetry::Ledger> ledger,
                     MetricStore::Clock clock)
    : store_(store), ledger_(std::move(ledger)), clock_(std::move(clock)) {
  collect();  // what was counted before belongs to nobody's minute but this one
  store_.set_refresh([this] { collect(); });
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "weir-metrics");
}

Collector::~Collector() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stopping_.notify_all();
  thread_.join();
  store_.set_refresh({});
  collect();
}

void Collector::collect() {
  const std::lock_guard lock(collecting_);
  const auto snapshot = ledger_->snapshot();
  put(metrics_.collect(ledger_->totals(), *snapshot, clock_() / 1'000));
  put(LoadBalancingMetrics::hosts(*snapshot, clock_() / 1'000));
}

void Collector::put(std::vector<Sample> samples) {
  if (samples.empty()) return;
  const auto taken = store_.put(std::move(samples));
  if (!taken && !std::exchange(is_refused_, true))
    log::warn("metrics are not kept: {}", taken.error().message);
  if (taken) is_refused_ = false;
}

void Collector::run() {
  std::int64_t minute = clock_() / minute_ms;
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    {
      const std::lock_guard collecting(collecting_);
      put(LoadBalancingMetrics::hosts(*ledger_->snapshot(), clock_() / 1'000));
    }
    if (const std::int64_t now = clock_() / minute_ms; now != minute) {
      minute = now;
      collect();
      if (auto written = store_.flush(); !written)
        log::warn("metrics are not written: {}", written.error().message);
    }
    const std::int64_t to_minute = minute_ms - clock_() % minute_ms;
    lock.lock();
    stopping_.wait_for(lock, std::chrono::milliseconds(std::min(hosts_every_ms, to_minute)),
                       [this] { return is_stopping_; });
  }
}

}  // namespace weir::metrics
