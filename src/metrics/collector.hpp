// The thread that feeds the MetricStore: hosts every few seconds, counters at each minute's end and
// whenever somebody asks for the minute under way; then the minute is written.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "metrics/load_balancing.hpp"
#include "metrics/metric_store.hpp"
#include "telemetry/totals.hpp"

namespace weir::metrics {

class Collector {
 public:
  // Becomes the store's refresh. Both outlive the Collector.
  Collector(MetricStore& store, std::shared_ptr<const telemetry::Ledger> ledger,
            MetricStore::Clock clock);
  ~Collector();  // looks once more, ends the thread
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  void collect();  // any thread

 private:
  void run();
  void put(std::vector<Sample> samples);

  MetricStore& store_;
  const std::shared_ptr<const telemetry::Ledger> ledger_;
  const MetricStore::Clock clock_;
  std::mutex collecting_;  // guards metrics_
  LoadBalancingMetrics metrics_;
  bool is_refused_ = false;  // said so already
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace weir::metrics
