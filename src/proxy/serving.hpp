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
  // Shared by the Servings of all snapshots in which the group is the same: turns, budgets and
  // lists go on, and a change elsewhere costs nothing here.
  struct Group {
    Group(const routing::TargetGroup& group, std::uint64_t worker_id, std::uint64_t seed)
        : target_group(group), chooser(target_group, worker_id, seed) {}

    const routing::TargetGroup target_group;  // a copy: but for its mirror and index, see version
    balancing::Chooser chooser;
    // One a target, in the group's order; nullptr where the target takes no requests.
    std::vector<LocalRef<TargetPool>> pools;
    GroupCells cells;
    traffic::RetryBudget retry_budget;
    std::uint32_t mirror_turn = 0;  // in percent of a request
    std::uint32_t references = 0;
  };

  [[nodiscard]] Group& group(std::uint32_t index) { return *groups[index]; }
  // nullptr: there is none.
  [[nodiscard]] Group* find_group(std::string_view arn) const;

  [[nodiscard]] const traffic::RetryPolicy& retry_of(std::uint32_t group) const {
    return snapshot->target_groups[group].retry;
  }

  routing::SnapshotPtr snapshot;
  std::vector<LocalRef<Group>> groups;  // in the snapshot's order, that of their ARNs
  // One a load balancer of the snapshot; nullptr: no rate limit.
  std::vector<traffic::RateLimiter::Lane*> rate_lanes;
  // Of forward actions with several groups, made at their first use.
  std::unordered_map<const routing::Forward*, balancing::WeightedChooser> weighted;
  ServingCells cells;  // what its requests are counted in
  std::uint32_t references = 0;
};

}  // namespace weir::proxy
