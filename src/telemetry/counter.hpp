// Numbers that one thread writes and any thread reads.
//
// A plain load and store, relaxed: the writer never pays for an atomic read-modify-write, and a
// reader sees some recent value, which is all that a metric asks for.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir::telemetry {

class Counter {
 public:
  void add(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  // Gauges only: what was added before goes away again.
  void remove(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace weir::telemetry
