#include "proxy/target_choice.hpp"

#include <algorithm>

namespace weir::proxy {
namespace {

// Targets looked at before the request is refused: a flood that has filled them all must not cost a
// walk over all of them for each request.
constexpr std::size_t passes_max = 128;

std::optional<std::uint32_t> next_target(Serving::Group& group, const balancing::ChoiceFacts& facts,
                                         std::optional<std::uint32_t> failed) {
  return failed ? group.chooser.choose_other(*failed, facts) : group.chooser.choose(facts);
}

}  // namespace

bool admits(const Serving::Group& group, std::uint32_t target) {
  const auto& limits = group.target_group.policy.circuit_breaker;
  if (!limits.is_on()) return true;
  using Load = routing::TargetLoad;
  const routing::TargetLoads& loads = group.target_group.targets[target].health->loads;
  if (limits.requests_max != 0 && loads.sum(&Load::outstanding) >= limits.requests_max)
    return false;
  if (group.pools[target]->has_idle()) return true;  // needs no new connection
  if (limits.pending_max != 0 && loads.sum(&Load::connecting) >= limits.pending_max) return false;
  return limits.connections_max == 0 || loads.sum(&Load::connections) < limits.connections_max;
}

std::optional<std::uint32_t> choose_target(Serving::Group& group,
                                           const balancing::ChoiceFacts& facts,
                                           std::optional<std::uint32_t> failed) {
  const auto target = next_target(group, facts, failed);
  if (!target || admits(group, *target)) return target;
  const std::size_t passes = std::min(group.chooser.eligible_count(facts), passes_max);
  for (std::size_t pass = 0; pass < passes; ++pass) {
    const auto other = group.chooser.in_turn(facts);
    if (other != failed && admits(group, *other)) return other;
  }
  return std::nullopt;
}

}  // namespace weir::proxy
