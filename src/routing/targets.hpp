// Target groups as workers and the health checker see them: where a target is, whether it may be
// used, and the health cell that it shares with the snapshots before (reference §4.1, §4.7).
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "routing/ip_range.hpp"
#include "routing/snapshot.hpp"

namespace weir::routing {

class TargetCompiler {
 public:
  // `previous` and `changes` may be null. `revision`: of the snapshot to be.
  TargetCompiler(const Sources& sources, const Snapshot* previous, std::uint64_t revision,
                 const Changes* changes);

  // `load_balancer`: the one whose rules refer to the group, nullptr where none does.
  [[nodiscard]] TargetGroup compile_group(const model::TargetGroup& source,
                                          const model::LoadBalancer* load_balancer) const;

 private:
  [[nodiscard]] Target compile_target(const model::Target& source, const model::TargetGroup& group,
                                      const model::LoadBalancer* load_balancer) const;
  void locate_instance(Target& out) const;
  void locate_address(Target& out) const;
  void compile_targets(TargetGroup& out, const model::TargetGroup& source,
                       const model::LoadBalancer* load_balancer) const;
  // Nothing that says where its targets are has changed, but for targets themselves.
  [[nodiscard]] bool goes_on(const TargetGroup& previous,
                             const model::LoadBalancer* load_balancer) const;
  [[nodiscard]] TargetGroup with_changed_targets(const TargetGroup& previous,
                                                 const model::TargetGroup& source,
                                                 const model::LoadBalancer* load_balancer) const;
  static void share_health(Target& target, const TargetGroup& previous);

  const Sources& sources_;
  std::uint64_t revision_;
  const Changes* changes_;
  std::optional<IpRange> vpc_;
  std::set<std::string_view> load_balancer_addresses_;
  std::unordered_map<std::string_view, const TargetGroup*> previous_groups_;
};

}  // namespace weir::routing
