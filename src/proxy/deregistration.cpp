#include "proxy/deregistration.hpp"

#include <algorithm>
#include <tuple>

namespace weir::proxy {
namespace {

auto key_of(const routing::Target& target) { return std::tie(target.id, target.port); }

bool end_registrations_of(Serving::Group& before, const routing::TargetGroup& now) {
  bool any = false;
  const auto& targets = before.target_group->targets;
  auto at = now.targets.begin();  // both are in (id, port) order
  for (std::uint32_t i = 0; i < targets.size(); ++i) {
    while (at != now.targets.end() && key_of(*at) < key_of(targets[i])) ++at;
    if (at != now.targets.end() && key_of(*at) == key_of(targets[i])) continue;
    before.chooser.load(i).is_over = true;
    any = true;
  }
  return any;
}

}  // namespace

bool end_registrations(Serving& before, const routing::Snapshot& now) {
  bool any = false;
  for (Serving::Group& group : before.groups) {
    const auto same = std::ranges::lower_bound(now.target_groups, group.target_group->arn, {},
                                               &routing::TargetGroup::arn);
    if (same == now.target_groups.end() || same->arn != group.target_group->arn) continue;
    if (!same->in_use) continue;
    any = end_registrations_of(group, *same) || any;
  }
  return any;
}

}  // namespace weir::proxy
