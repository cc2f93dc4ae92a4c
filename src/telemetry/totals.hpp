// The cells of all workers, summed: what every reader of the metrics starts from.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "routing/snapshot.hpp"
#include "telemetry/cells.hpp"
#include "telemetry/histogram.hpp"
#include "telemetry/worker_cells.hpp"

namespace weir::telemetry {

template <typename Name>
struct Values {
  std::array<std::uint64_t, size_of<Name>> counts{};

  [[nodiscard]] std::uint64_t operator[](Name name) const {
    return counts[static_cast<std::size_t>(name)];
  }
  Values& operator+=(const Values& other) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    return *this;
  }
};

struct BalancerTotals {
  Values<OfBalancer> counts;
  HistogramValues response_time;
  std::array<HistogramValues, size_of<Phase>> phases;

  BalancerTotals& operator+=(const BalancerTotals& other);
};

struct GroupTotals {
  Values<OfGroup> counts;
  HistogramValues response_time;

  GroupTotals& operator+=(const GroupTotals& other);
};

struct TargetTotals {
  Values<OfTarget> counts;
};

struct Totals {
  std::map<ZoneKey, BalancerTotals> balancers;
  std::map<ZoneKey, GroupTotals> groups;
  std::map<TargetKey, TargetTotals> targets;

  // Over the zones of one ARN.
  [[nodiscard]] BalancerTotals balancer(const std::string& arn) const;
  [[nodiscard]] GroupTotals group(const std::string& arn) const;
};

// The cells of every worker of a data plane. Any thread.
class Ledger {
 public:
  // For a new worker.
  [[nodiscard]] std::shared_ptr<WorkerCells> add_worker();
  [[nodiscard]] Totals totals() const;

  // The configuration that the workers serve by; never null.
  void set_snapshot(routing::SnapshotPtr snapshot);
  [[nodiscard]] routing::SnapshotPtr snapshot() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<WorkerCells>> workers_;
  routing::SnapshotPtr snapshot_ = std::make_shared<const routing::Snapshot>();
};

}  // namespace weir::telemetry
