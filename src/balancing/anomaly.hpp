// The search for targets that answer worse than their peers (reference §4.3, automatic target
// weights): every five seconds the rates of failures (5xx, broken and refused connections) since
// the last look are compared within each group that has at least three healthy targets.
//
// A target is anomalous when it fails clearly more often than the others together do. Where the
// group mitigates, its weight is halved with each look that finds it so, and comes back by an
// eighth of the whole with each that does not. One thread, not a worker's, owns the watch and
// writes the cells; it reads what the workers count.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "routing/snapshot.hpp"

namespace weir::balancing {

class AnomalyWatch {
 public:
  static constexpr int interval_ms = 5000;
  static constexpr std::size_t healthy_min = 3;
  static constexpr std::uint64_t requests_min = 10;  // of a target in an interval, to be judged
  static constexpr std::uint32_t weight_min = routing::TargetHealthCell::full_weight / 16;

  // Whether there is something to look at: a group with targets enough to be compared, or a target
  // that has yet to get its weight back.
  [[nodiscard]] static bool is_needed(const routing::Snapshot& snapshot);
  void look(const routing::Snapshot& snapshot);

 private:
  struct Seen {
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;
    std::uint64_t look = 0;  // the last that found the target
  };
  struct Part {
    routing::TargetHealthCell* cell = nullptr;
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;
  };

  void look(const routing::TargetGroup& group);
  [[nodiscard]] Part part_of(const routing::Target& target);

  std::unordered_map<const routing::TargetHealthCell*, Seen> seen_;
  std::vector<Part> parts_;  // of the group being looked at
  std::uint64_t looks_ = 0;
};

}  // namespace weir::balancing
