// What one worker knows of one target: requests in flight, connections, how they went.
//
// A target's health cell holds one TargetLoad a worker. Only that worker's thread writes it, with
// plain loads and stores of relaxed atomics; others (a limit over all workers, the search for
// anomalies) read and add up. It lives as long as the cell does, so it survives changes of the
// configuration while the target stays in use.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace weir::routing {

// A number that one thread writes and any may read.
template <typename Number>
class SingleWriter {
 public:
  [[nodiscard]] Number get() const { return value_.load(std::memory_order_relaxed); }
  void set(Number value) { value_.store(value, std::memory_order_relaxed); }
  void add(Number amount) { set(static_cast<Number>(get() + amount)); }
  void subtract(Number amount) { set(static_cast<Number>(get() - amount)); }

 private:
  std::atomic<Number> value_{0};
};

struct alignas(64) TargetLoad {
  explicit TargetLoad(std::uint64_t worker) : worker_id(worker) {}

  const std::uint64_t worker_id;
  TargetLoad* next = nullptr;  // of another worker; fixed once the list holds this one

  SingleWriter<std::uint32_t> outstanding;  // requests sent or about to be, answers not yet whole
  SingleWriter<std::uint32_t> connecting;   // of them, those that wait for their connection
  SingleWriter<std::uint32_t> connections;  // open or under way, idle ones too
  SingleWriter<std::uint32_t> failures_in_a_row;
  SingleWriter<std::uint64_t> requests;
  SingleWriter<std::uint64_t> failures;  // answers 5xx and failed connections

  // Outlier ejection, on the loops' clock.
  SingleWriter<std::int64_t> ejected_until_ms;
  std::uint32_t ejections = 0;

  // Of P2C; for the worker's own eyes. Latency to the first byte, exponentially weighted.
  double latency_us = 0;
  std::int64_t latency_at_ms = 0;

  // The registration has ended: what is still under way is cut off (reference §4.8).
  bool is_over = false;
};

// The loads of one target. Any thread may look one up; the look-up makes it where there is none, so
// it is for changes of the configuration, not for requests.
class TargetLoads {
 public:
  TargetLoads() = default;
  TargetLoads(const TargetLoads&) = delete;
  TargetLoads& operator=(const TargetLoads&) = delete;
  ~TargetLoads() {
    TargetLoad* load = first_.load(std::memory_order_acquire);
    while (load != nullptr) delete std::exchange(load, load->next);
  }

  [[nodiscard]] TargetLoad& of(std::uint64_t worker_id) {
    TargetLoad* first = first_.load(std::memory_order_acquire);
    for (TargetLoad* load = first; load != nullptr; load = load->next) {
      if (load->worker_id == worker_id) return *load;
    }
    auto* made = new TargetLoad(worker_id);
    made->next = first;
    while (!first_.compare_exchange_weak(made->next, made, std::memory_order_acq_rel)) {
    }
    return *made;
  }

  template <typename Use>
  void for_each(Use use) const {
    for (const TargetLoad* load = first_.load(std::memory_order_acquire); load != nullptr;
         load = load->next)
      use(*load);
  }

  // Of one number over all workers.
  template <typename Number>
  [[nodiscard]] Number sum(SingleWriter<Number> TargetLoad::*number) const {
    Number total = 0;
    for_each(
        [&](const TargetLoad& load) { total = static_cast<Number>(total + (load.*number).get()); });
    return total;
  }

 private:
  std::atomic<TargetLoad*> first_{nullptr};
};

}  // namespace weir::routing
