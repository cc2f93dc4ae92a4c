#include "telemetry/totals.hpp"

namespace weir::telemetry {
namespace {

struct Summing {
  Totals& out;

  void balancer(const ZoneKey& key, const BalancerCells& cells) {
    BalancerTotals& total = out.balancers[key];
    cells.counts.add_to(total.counts.counts);
    cells.response_time.add_to(total.response_time);
    for (std::size_t i = 0; i < cells.phases.size(); ++i) cells.phases[i].add_to(total.phases[i]);
  }
  void group(const ZoneKey& key, const GroupCells& cells) {
    GroupTotals& total = out.groups[key];
    cells.counts.add_to(total.counts.counts);
    cells.response_time.add_to(total.response_time);
  }
  void target(const TargetKey& key, const TargetCells& cells) {
    cells.counts.add_to(out.targets[key].counts.counts);
  }
};

template <typename Map>
auto over_zones(const Map& map, const std::string& arn) {
  typename Map::mapped_type sum;
  for (auto it = map.lower_bound({arn, {}}); it != map.end() && it->first.first == arn; ++it)
    sum += it->second;
  return sum;
}

}  // namespace

BalancerTotals& BalancerTotals::operator+=(const BalancerTotals& other) {
  counts += other.counts;
  response_time += other.response_time;
  for (std::size_t i = 0; i < phases.size(); ++i) phases[i] += other.phases[i];
  return *this;
}

GroupTotals& GroupTotals::operator+=(const GroupTotals& other) {
  counts += other.counts;
  response_time += other.response_time;
  return *this;
}

BalancerTotals Totals::balancer(const std::string& arn) const { return over_zones(balancers, arn); }
GroupTotals Totals::group(const std::string& arn) const { return over_zones(groups, arn); }

std::shared_ptr<WorkerCells> Ledger::add_worker() {
  const std::lock_guard lock(mutex_);
  return workers_.emplace_back(std::make_shared<WorkerCells>());
}

void Ledger::set_snapshot(routing::SnapshotPtr snapshot) {
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(snapshot);
}

routing::SnapshotPtr Ledger::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

Totals Ledger::totals() const {
  std::vector<std::shared_ptr<WorkerCells>> workers;
  {
    const std::lock_guard lock(mutex_);
    workers = workers_;
  }
  Totals out;
  for (const auto& worker : workers) worker->read(Summing{out});
  return out;
}

}  // namespace weir::telemetry
