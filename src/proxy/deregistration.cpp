#include "proxy/deregistration.hpp"

#include <algorithm>
#include <tuple>

namespace weir::proxy {
namespace {

auto key_of(const routing::Target& target) { return std::tie(target.id, target.port); }

bool end_registrations_of(Serving::Group& before, const routing::TargetGroup& now) {
  bool any = false;
  const auto& targets = before.target_group.targets;
  auto at = now.targets.begin();  // both are in (id, port) order, and share what has not changed
  for (std::uint32_t i = 0; i < targets.size(); ++i) {
    const routing::Target& target = targets[i];
    while (at != now.targets.end() && &*at != &target && key_of(*at) < key_of(target)) ++at;
    const bool is_there =
        at != now.targets.end() && (&*at == &target || key_of(*at) == key_of(target));
    if (is_there) continue;
    before.chooser.load(i).is_over = true;
    any = true;
  }
  return any;
}

}  // namespace

bool end_registrations(Serving& before, const routing::Snapshot& now) {
  bool any = false;
  for (const LocalRef<Serving::Group>& group : before.groups) {
    const routing::TargetGroup& was = group->target_group;
    const auto same =
        std::ranges::lower_bound(now.target_groups, was.arn, {}, &routing::TargetGroup::arn);
    if (same == now.target_groups.end() || same->arn != was.arn) continue;
    if (!same->in_use || same->version == was.version) continue;
    any = end_registrations_of(*group, *same) || any;
  }
  return any;
}

}  // namespace weir::proxy
