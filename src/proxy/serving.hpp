// A Snapshot as one worker serves by it: with the worker's choosers and target pools beside it.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "balancing/chooser.hpp"
#include "proxy/accounting.hpp"
#include "proxy/local_ref.hpp"
#include "proxy/target_pool.hpp"
#include "routing/snapshot.hpp"
#include "traffic/retry.hpp"

namespace weir::proxy {

struct Serving {
  struct Group {
    const routing::TargetGroup* target_group;  // of the snapshot
    balancing::Chooser chooser;
    std::vector<LocalRef<TargetPool>> pools;  // one a target, in the group's order
    traffic::RetryBudget retry_budget;
    std::uint32_t mirror_turn = 0;  // in percent of a request
  };

  [[nodiscard]] const traffic::RetryPolicy& retry_of(std::uint32_t group) const {
    return snapshot->target_groups[group].retry;
  }

  routing::SnapshotPtr snapshot;
  std::vector<Group> groups;
  // One a load balancer of the snapshot; nullptr: no rate limit.
  std::vector<traffic::RateLimiter::Lane*> rate_lanes;
  // Of forward actions with several groups, made at their first use.
  std::unordered_map<const routing::Forward*, balancing::WeightedChooser> weighted;
  ServingCells cells;  // what its requests are counted in
  std::uint32_t references = 0;
};

}  // namespace weir::proxy
