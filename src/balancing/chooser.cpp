#include "balancing/chooser.hpp"

#include <numeric>

namespace weir::balancing {
namespace {

// Neighbouring seeds (worker 0, 1, 2 …) become numbers that have nothing to do with each other:
// splitmix64's finisher.
std::uint64_t spread(std::uint64_t seed) {
  seed += 0x9e3779b97f4a7c15;
  seed = (seed ^ (seed >> 30U)) * 0xbf58476d1ce4e5b9;
  seed = (seed ^ (seed >> 27U)) * 0x94d049bb133111eb;
  return seed ^ (seed >> 31U);
}

bool is_in_use(const routing::Target& target) { return target.usable && !target.draining; }

bool is_healthy(const routing::Target& target) {
  return target.health->state.load(std::memory_order_relaxed) == routing::HealthState::healthy;
}

}  // namespace

Chooser::Chooser(const routing::TargetGroup& group, std::uint64_t seed)
    : group_(group), next_(spread(seed) >> 1U) {  // no wrap-around in a program's life
  eligible_.reserve(group.targets.size());
}

// The epoch is read before the cells: a change that slips in between raises it again, and the list
// is built once more at the next choice.
void Chooser::rebuild() {
  epoch_ = group_.health_epoch->load(std::memory_order_acquire);
  built_ = true;
  eligible_.clear();
  for (std::uint32_t i = 0; i < group_.targets.size(); ++i) {
    if (is_in_use(group_.targets[i]) && is_healthy(group_.targets[i])) eligible_.push_back(i);
  }
  if (!eligible_.empty()) return;
  for (std::uint32_t i = 0; i < group_.targets.size(); ++i) {
    if (is_in_use(group_.targets[i])) eligible_.push_back(i);
  }
}

std::optional<std::uint32_t> Chooser::choose() {
  if (!built_ || group_.health_epoch->load(std::memory_order_acquire) != epoch_) rebuild();
  if (eligible_.empty()) return std::nullopt;
  return eligible_[next_++ % eligible_.size()];
}

std::optional<std::uint32_t> Chooser::choose_other(std::uint32_t failed) {
  const auto target = choose();
  return target == failed && eligible_.size() > 1 ? choose() : target;
}

WeightedChooser::WeightedChooser(const routing::Forward& forward, std::uint64_t seed)
    : forward_(forward), current_(forward.groups.size()) {
  // The sequence repeats after this many choices; a place in it is as good as any to start from.
  std::uint32_t common = 0;
  for (const auto& group : forward.groups) common = std::gcd(common, group.weight);
  if (common == 0) return;
  const std::uint64_t skipped = spread(seed) % (forward.weight_sum / common);
  for (std::uint64_t i = 0; i < skipped; ++i) static_cast<void>(choose());
}

// Each group gains its weight, the richest is chosen and pays for all.
std::optional<std::uint32_t> WeightedChooser::choose() {
  if (forward_.weight_sum == 0) return std::nullopt;
  std::size_t best = forward_.groups.size();
  for (std::size_t i = 0; i < forward_.groups.size(); ++i) {
    if (forward_.groups[i].weight == 0) continue;
    current_[i] += forward_.groups[i].weight;
    if (best == forward_.groups.size() || current_[i] > current_[best]) best = i;
  }
  current_[best] -= forward_.weight_sum;
  return static_cast<std::uint32_t>(best);
}

}  // namespace weir::balancing
