#include "proxy/continuity.hpp"

#include <algorithm>
#include <tuple>

namespace weir::proxy {
namespace {

auto key_of(const routing::Target& target) { return std::tie(target.id, target.port); }

}  // namespace

const routing::TargetGroup* group_before(const routing::Snapshot* before, std::string_view arn) {
  if (before == nullptr) return nullptr;
  const auto found =
      std::ranges::lower_bound(before->target_groups, arn, {}, &routing::TargetGroup::arn);
  return found != before->target_groups.end() && found->arn == arn ? &*found : nullptr;
}

std::vector<std::uint32_t> targets_before(const routing::TargetGroup& now,
                                          const routing::TargetGroup* before) {
  std::vector<std::uint32_t> out(now.targets.size(), not_before);
  if (before == nullptr) return out;
  auto at = before->targets.begin();  // both are in (id, port) order
  for (std::size_t i = 0; i < now.targets.size(); ++i) {
    while (at != before->targets.end() && key_of(*at) < key_of(now.targets[i])) ++at;
    if (at == before->targets.end()) break;
    if (key_of(*at) == key_of(now.targets[i]))
      out[i] = static_cast<std::uint32_t>(at - before->targets.begin());
  }
  return out;
}

}  // namespace weir::proxy
