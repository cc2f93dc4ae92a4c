#include "proxy/continuity.hpp"

#include <tuple>

namespace weir::proxy {
namespace {

auto key_of(const routing::Target& target) { return std::tie(target.id, target.port); }

}  // namespace

// Both are in (id, port) order, and share the targets that have not changed: most comparisons are
// of addresses.
Continuity continuity(const routing::TargetGroup& now, const routing::TargetGroup* before) {
  Continuity out;
  out.targets.resize(now.targets.size());
  if (before == nullptr) return out;
  const auto& old = before->targets;
  std::uint32_t at = 0;
  for (std::size_t i = 0; i < now.targets.size() && at < old.size(); ++i) {
    const routing::Target& target = now.targets[i];
    while (at < old.size() && &old[at] != &target && key_of(old[at]) < key_of(target)) ++at;
    if (at == old.size()) break;
    const bool is_same = &old[at] == &target;
    if (is_same || key_of(old[at]) == key_of(target)) out.targets[i] = {at++, is_same};
  }
  return out;
}

}  // namespace weir::proxy
