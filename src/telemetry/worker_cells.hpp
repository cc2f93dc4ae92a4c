// All cells of one worker, by what they count.
//
// The worker looks cells up when it takes a new snapshot, and keeps references; the way of a
// request touches the cells alone. The lock is for the map: taken by the worker at a change of the
// configuration and by a reader while it sums. Cells that nothing refers to any more stay for a
// while, so that their last counts are read, and are then dropped.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/local_ref.hpp"
#include "telemetry/cells.hpp"

namespace weir::telemetry {

// ARN and zone; ARN, target id and port.
using ZoneKey = std::pair<std::string, std::string>;
using TargetKey = std::tuple<std::string, std::string, std::uint16_t>;

class WorkerCells {
 public:
  static constexpr std::int64_t kept_ms = 180'000;  // three readings of the metric store

  WorkerCells() = default;
  WorkerCells(const WorkerCells&) = delete;
  WorkerCells& operator=(const WorkerCells&) = delete;

  // The worker's thread only.
  [[nodiscard]] LocalRef<BalancerCells> balancer(const ZoneKey& key) {
    return get(balancers_, key);
  }
  [[nodiscard]] LocalRef<GroupCells> group(const ZoneKey& key) { return get(groups_, key); }
  [[nodiscard]] LocalRef<TargetCells> target(const TargetKey& key) { return get(targets_, key); }
  // Drops what has been out of use for `kept_ms`.
  void prune(std::int64_t now_ms);

  // Any thread: balancer(key, cells), group(key, cells), target(key, cells) of `reader`.
  template <typename Reader>
  void read(Reader&& reader) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, held] : balancers_) reader.balancer(key, *held.cells);
    for (const auto& [key, held] : groups_) reader.group(key, *held.cells);
    for (const auto& [key, held] : targets_) reader.target(key, *held.cells);
  }

 private:
  template <typename Cells>
  struct Held {
    LocalRef<Cells> cells;
    std::int64_t unused_since_ms = 0;  // 0: in use when last looked at
  };
  template <typename Key, typename Cells>
  using Map = std::map<Key, Held<Cells>>;

  template <typename Key, typename Cells>
  LocalRef<Cells> get(Map<Key, Cells>& map, const Key& key) {
    const std::lock_guard lock(mutex_);
    Held<Cells>& held = map[key];
    if (!held.cells) held.cells = LocalRef<Cells>(new Cells);
    return held.cells;
  }

  mutable std::mutex mutex_;
  Map<ZoneKey, BalancerCells> balancers_;
  Map<ZoneKey, GroupCells> groups_;
  Map<TargetKey, TargetCells> targets_;
};

}  // namespace weir::telemetry
