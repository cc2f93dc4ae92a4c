#include "balancing/anomaly.hpp"

#include <algorithm>

namespace weir::balancing {
namespace {

constexpr std::uint32_t full = routing::TargetHealthCell::full_weight;

// At least a fifth of the requests more than the peers' share of failures, and twice as much.
bool is_worse(double rate, double peers) { return rate >= peers + 0.2 && rate >= 2 * peers; }

void judge(routing::TargetHealthCell& cell, bool is_anomalous, bool mitigates) {
  cell.is_anomalous.store(is_anomalous, std::memory_order_relaxed);
  std::uint32_t weight = cell.weight.load(std::memory_order_relaxed);
  if (!mitigates) {
    weight = full;
  } else if (is_anomalous) {
    weight = std::max(weight / 2, AnomalyWatch::weight_min);
  } else {
    weight = std::min(weight + full / 8, full);
  }
  cell.weight.store(weight, std::memory_order_relaxed);
}

}  // namespace

bool AnomalyWatch::is_needed(const routing::Snapshot& snapshot) {
  const auto was_found = [](const routing::Target& target) {
    return target.health->is_anomalous.load(std::memory_order_relaxed) ||
           target.health->weight.load(std::memory_order_relaxed) < full;
  };
  return std::ranges::any_of(snapshot.target_groups, [&](const routing::TargetGroup& group) {
    return group.in_use &&
           (group.targets.size() >= healthy_min || std::ranges::any_of(group.targets, was_found));
  });
}

void AnomalyWatch::look(const routing::Snapshot& snapshot) {
  ++looks_;
  for (const routing::TargetGroup& group : snapshot.target_groups) {
    if (group.in_use) look(group);
  }
  std::erase_if(seen_, [this](const auto& each) { return each.second.look != looks_; });
}

void AnomalyWatch::look(const routing::TargetGroup& group) {
  parts_.clear();
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  for (const routing::Target& target : group.targets) {
    const Part part = part_of(target);
    const bool is_healthy =
        target.health->state.load(std::memory_order_relaxed) == routing::HealthState::healthy;
    if (!target.usable || target.draining || !is_healthy) {
      judge(*target.health, false, group.policy.mitigates_anomalies);
      continue;
    }
    requests += part.requests;
    failures += part.failures;
    parts_.push_back(part);
  }
  for (const Part& part : parts_) {
    const std::uint64_t others = requests - part.requests;
    bool is_anomalous = false;
    if (parts_.size() >= healthy_min && part.requests >= requests_min && others > 0) {
      const auto rate = static_cast<double>(part.failures) / static_cast<double>(part.requests);
      const auto peers =
          static_cast<double>(failures - part.failures) / static_cast<double>(others);
      is_anomalous = is_worse(rate, peers);
    }
    judge(*part.cell, is_anomalous, group.policy.mitigates_anomalies);
  }
}

// What the workers have counted since the last look; of a target seen first, all.
AnomalyWatch::Part AnomalyWatch::part_of(const routing::Target& target) {
  using Load = routing::TargetLoad;
  Seen& seen = seen_[target.health.get()];
  const std::uint64_t requests = target.health->loads.sum(&Load::requests);
  const std::uint64_t failures = target.health->loads.sum(&Load::failures);
  if (requests < seen.requests) seen = {};  // another target's cell, where a forgotten one lay
  // Both are counted one after the other: a look in between may find more failures than requests.
  const std::uint64_t new_requests = requests - seen.requests;
  const std::uint64_t new_failures = failures < seen.failures ? 0 : failures - seen.failures;
  seen = {requests, failures, looks_};
  return {target.health.get(), new_requests, std::min(new_failures, new_requests)};
}

}  // namespace weir::balancing
