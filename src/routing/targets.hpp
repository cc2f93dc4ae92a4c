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
  // `previous` may be null.
  TargetCompiler(const Sources& sources, const Snapshot* previous);

  // `load_balancer`: the one whose rules refer to the group, nullptr where none does.
  [[nodiscard]] TargetGroup compile_group(const model::TargetGroup& source,
                                          const model::LoadBalancer* load_balancer) const;

 private:
  [[nodiscard]] Target compile_target(const model::Target& source, const model::TargetGroup& group,
                                      const model::LoadBalancer* load_balancer) const;
  void locate_instance(Target& out) const;
  void locate_address(Target& out) const;
  void share_health(TargetGroup& out) const;

  const Sources& sources_;
  std::optional<IpRange> vpc_;
  std::set<std::string_view> load_balancer_addresses_;
  std::unordered_map<std::string_view, const TargetGroup*> previous_groups_;
};

}  // namespace weir::routing
