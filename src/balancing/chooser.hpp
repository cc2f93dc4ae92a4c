// The choice of a target for one request.
//
// A Chooser belongs to one worker and one target group of one Snapshot; it keeps the list of
// eligible targets and rebuilds it when the group's health epoch has moved. Eligible are the
// healthy targets in use and not draining; where none is, all in use and not draining (fail open,
// reference §4.6). Round robin starts at a random place, so that workers do not march in step.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "routing/snapshot.hpp"

namespace weir::balancing {

class Chooser {
 public:
  // `group` outlives the Chooser (the worker holds the snapshot).
  Chooser(const routing::TargetGroup& group, std::uint64_t seed);

  // Index in group.targets of the next target, or nothing: 503. O(1) but for the rebuild after a
  // health change. No allocation once the list has been built.
  [[nodiscard]] std::optional<std::uint32_t> choose();
  // The same, but another than `failed` where there is one: for a retry after a failed connect.
  [[nodiscard]] std::optional<std::uint32_t> choose_other(std::uint32_t failed);

 private:
  void rebuild();

  const routing::TargetGroup& group_;
  std::vector<std::uint32_t> eligible_;
  std::uint32_t epoch_ = 0;
  bool built_ = false;
  std::uint64_t next_;
};

// Draws a group of a weighted forward action: deterministic smooth weighted round robin, so that
// the shares are exact over each weight_sum requests and not only on average.
class WeightedChooser {
 public:
  // `forward` outlives the chooser. `seed` decides at which point of the sequence it starts, so
  // that workers with seeds of their own do not march in step. Costs up to weight_sum steps.
  explicit WeightedChooser(const routing::Forward& forward, std::uint64_t seed = 0);
  // Index in forward.groups, or nothing where all weights are 0.
  [[nodiscard]] std::optional<std::uint32_t> choose();

 private:
  const routing::Forward& forward_;
  std::vector<std::int64_t> current_;
};

}  // namespace weir::balancing
