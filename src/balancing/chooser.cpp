#include "balancing/chooser.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "balancing/latency.hpp"

namespace weir::balancing {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
constexpr std::uint32_t full_share = 65536;
// The share with which slow start begins: a target that gets nothing would not warm up.
constexpr std::uint32_t least_share = full_share / 100;
// Passing over targets with a reduced share ends here: it happens where all have one.
constexpr int passes_max = 32;

// Neighbouring seeds (worker 0, 1, 2 …) become numbers that have nothing to do with each other:
// splitmix64's finisher.
std::uint64_t spread(std::uint64_t seed) {
  seed += 0x9e3779b97f4a7c15;
  seed = (seed ^ (seed >> 30U)) * 0xbf58476d1ce4e5b9;
  seed = (seed ^ (seed >> 27U)) * 0x94d049bb133111eb;
  return seed ^ (seed >> 31U);
}

// A random number below `bound`, which is small against 2^32.
std::size_t below(std::uint64_t random, std::size_t bound) {
  return static_cast<std::size_t>(((random >> 32U) * bound) >> 32U);
}

bool is_in_use(const routing::Target& target) { return target.usable && !target.draining; }

bool is_healthy(const routing::Target& target) {
  return target.health->state.load(std::memory_order_relaxed) == routing::HealthState::healthy;
}

std::size_t healthy_min(const routing::BalancingPolicy& policy, std::size_t registered) {
  const std::size_t by_percent = (policy.healthy_percent_min * registered + 99) / 100;
  return std::max<std::size_t>({1, policy.healthy_count_min, by_percent});
}

}  // namespace

Chooser::Chooser(const routing::TargetGroup& group, std::uint64_t worker_id, std::uint64_t seed)
    : group_(group),
      sets_(group.policy.is_cross_zone ? 1 : group.nodes),
      rebuild_at_ms_(never),
      random_(spread(seed)) {
  loads_.reserve(group.targets.size());
  for (const routing::Target& target : group.targets)
    loads_.push_back(&target.health->loads.of(worker_id));
  for (Set& set : sets_) set.next = random() >> 1U;  // no wrap-around in a program's life
}

std::uint64_t Chooser::random() { return spread(random_++); }

Chooser::Set& Chooser::current(const ChoiceFacts& facts) {
  const bool is_stale = !built_ || facts.now_ms >= rebuild_at_ms_ ||
                        group_.health_epoch->load(std::memory_order_acquire) != epoch_;
  if (is_stale) rebuild(facts.now_ms);
  return sets_[sets_.size() == 1 ? 0 : facts.node % sets_.size()];
}

// The epoch is read before the cells: a change that slips in between raises it again, and the lists
// are built once more at the next choice.
void Chooser::rebuild(std::int64_t now_ms) {
  epoch_ = group_.health_epoch->load(std::memory_order_acquire);
  built_ = true;
  rebuild_at_ms_ = never;
  for (std::uint32_t node = 0; node < sets_.size(); ++node) fill(sets_[node], node, now_ms);
}

bool Chooser::is_in_set(const routing::Target& target, std::uint32_t node) const {
  if (!is_in_use(target)) return false;
  return sets_.size() == 1 || target.node == node || target.node == routing::Target::any_node;
}

void Chooser::fill(Set& set, std::uint32_t node, std::int64_t now_ms) {
  set.targets.clear();
  set.targets.reserve(group_.targets.size());
  std::size_t registered = 0;
  for (std::uint32_t i = 0; i < group_.targets.size(); ++i) {
    const routing::Target& target = group_.targets[i];
    if (!is_in_set(target, node)) continue;
    ++registered;
    if (is_healthy(target)) set.targets.push_back(i);
  }
  set.fails_open = registered > 0 && set.targets.size() < healthy_min(group_.policy, registered);
  if (!set.fails_open) {
    if (group_.policy.outlier_ejection.is_on()) leave_out_ejected(set, now_ms);
    return;
  }
  set.targets.clear();
  for (std::uint32_t i = 0; i < group_.targets.size(); ++i) {
    if (is_in_set(group_.targets[i], node)) set.targets.push_back(i);
  }
}

// At most the policy's part of the targets is left out, at least one may be, never all.
void Chooser::leave_out_ejected(Set& set, std::int64_t now_ms) {
  const std::size_t count = set.targets.size();
  if (count < 2) return;
  const std::size_t part = count * group_.policy.outlier_ejection.percent_max / 100;
  std::size_t room = std::clamp<std::size_t>(part, 1, count - 1);
  std::erase_if(set.targets, [&](std::uint32_t target) {
    std::int64_t until_ms = 0;
    group_.targets[target].health->loads.for_each([&](const routing::TargetLoad& load) {
      until_ms = std::max(until_ms, load.ejected_until_ms.get());
    });
    if (until_ms <= now_ms || room == 0) return false;
    --room;
    rebuild_at_ms_ = std::min(rebuild_at_ms_, until_ms);
    return true;
  });
}

std::optional<std::uint32_t> Chooser::choose(const ChoiceFacts& facts) {
  Set& set = current(facts);
  if (set.targets.empty()) return std::nullopt;
  if (set.targets.size() == 1) return set.targets.front();
  switch (group_.policy.algorithm) {
    case routing::Algorithm::round_robin:
      return by_turn(set, facts.now_ms);
    case routing::Algorithm::least_outstanding_requests:
      return by_outstanding(set);
    case routing::Algorithm::weighted_random:
      return at_random(set);
    case routing::Algorithm::p2c_ewma:
      return by_latency(set, facts.now_ms);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Chooser::choose_other(std::uint32_t failed, const ChoiceFacts& facts) {
  const auto target = choose(facts);
  return target == failed && current(facts).targets.size() > 1 ? in_turn_but(failed, facts)
                                                               : target;
}

std::optional<std::uint32_t> Chooser::in_turn_but(std::uint32_t failed, const ChoiceFacts& facts) {
  const auto target = in_turn(facts);
  return target == failed ? in_turn(facts) : target;
}

std::optional<std::uint32_t> Chooser::in_turn(const ChoiceFacts& facts) {
  Set& set = current(facts);
  if (set.targets.empty()) return std::nullopt;
  return set.targets[set.next++ % set.targets.size()];
}

std::size_t Chooser::eligible_count(const ChoiceFacts& facts) {
  return current(facts).targets.size();
}

bool Chooser::is_eligible(std::uint32_t target, const ChoiceFacts& facts) {
  return std::ranges::binary_search(current(facts).targets, target);
}

bool Chooser::is_failing_open(const ChoiceFacts& facts) { return current(facts).fails_open; }

// ---------------------------------------------------------------- the algorithms
std::uint32_t Chooser::by_turn(Set& set, std::int64_t now_ms) {
  std::uint32_t target = set.targets[set.next++ % set.targets.size()];
  if (group_.policy.slow_start_ms == 0) return target;
  for (int pass = 0; pass < passes_max; ++pass) {
    const std::uint32_t share = slow_start_share(target, now_ms);
    if (share == full_share || below(random(), full_share) < share) return target;
    target = set.targets[set.next++ % set.targets.size()];
  }
  return target;
}

// Reference §4.3: the share grows linearly.
std::uint32_t Chooser::slow_start_share(std::uint32_t target, std::int64_t now_ms) const {
  const std::int64_t from_ms =
      group_.targets[target].health->slow_start_from_ms.load(std::memory_order_relaxed);
  const std::int64_t age_ms = now_ms - from_ms;
  if (from_ms == 0 || age_ms >= group_.policy.slow_start_ms) return full_share;
  if (age_ms <= 0) return least_share;
  const auto share = static_cast<std::uint32_t>(age_ms * full_share / group_.policy.slow_start_ms);
  return std::max(share, least_share);
}

Chooser::Outstanding Chooser::outstanding(std::uint32_t target) const {
  Outstanding out;
  group_.targets[target].health->loads.for_each([&out](const routing::TargetLoad& load) {
    out.requests += load.outstanding.get();
    ++out.cells;
  });
  return out;
}

// The search begins behind the target chosen last, so that equals take turns, and ends at the first
// that has nothing to do.
std::uint32_t Chooser::by_outstanding(Set& set) {
  const std::size_t count = set.targets.size();
  const std::size_t window = std::min(count, window_max);
  std::size_t at = set.next % count;
  std::size_t best = at;
  std::uint32_t fewest = std::numeric_limits<std::uint32_t>::max();
  std::size_t seen = 0;
  for (std::size_t cells = 0; seen < window && cells < cells_max && fewest > 0; ++seen) {
    const Outstanding of_all = outstanding(set.targets[at]);
    cells += of_all.cells;
    if (of_all.requests < fewest) {
      fewest = of_all.requests;
      best = at;
    }
    if (++at == count) at = 0;
  }
  // Of a window the next one follows; of all targets the next one starts behind the chosen.
  set.next = seen < count && fewest > 0 ? set.next + seen : best + 1;
  return set.targets[best];
}

std::uint32_t Chooser::at_random(const Set& set) {
  std::uint32_t target = 0;
  for (int pass = 0; pass < passes_max; ++pass) {
    const std::uint64_t drawn = random();
    target = set.targets[below(drawn, set.targets.size())];
    if (!group_.policy.mitigates_anomalies) return target;
    const std::uint32_t weight =
        group_.targets[target].health->weight.load(std::memory_order_relaxed);
    if ((drawn & (routing::TargetHealthCell::full_weight - 1)) < weight) return target;
  }
  return target;
}

// Two at random, the better of them: nearly as good as the best of all, and no herd runs to one.
std::uint32_t Chooser::by_latency(const Set& set, std::int64_t now_ms) {
  const std::uint64_t drawn = random();
  const std::size_t count = set.targets.size();
  const std::size_t first = below(drawn, count);
  std::size_t second = below(drawn << 32U, count - 1);
  if (second >= first) ++second;
  const std::uint32_t one = set.targets[first];
  const std::uint32_t other = set.targets[second];
  return cost(other, now_ms) < cost(one, now_ms) ? other : one;
}

double Chooser::cost(std::uint32_t target, std::int64_t now_ms) const {
  return expected_latency_us(*loads_[target], now_ms) * (outstanding(target).requests + 1.0);
}

// ---------------------------------------------------------------- groups by weight
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
