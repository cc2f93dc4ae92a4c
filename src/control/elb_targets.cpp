// Registration, deregistration and health of targets: reference §4.1, §4.7, §4.8.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "control/addresses.hpp"
#include "control/elb.hpp"
#include "control/elb_checks.hpp"
#include "control/references.hpp"
#include "model/attributes.hpp"
#include "model/cidr.hpp"
#include "model/names.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

using model::InstanceState;

Result<std::uint16_t> port_of(const TargetDescription& target, const model::TargetGroup& group) {
  if (!target.port) return group.port;
  if (auto valid = model::validate_port(*target.port, "targets.member.port"); !valid) {
    return std::unexpected(valid.error());
  }
  return static_cast<std::uint16_t>(*target.port);
}

// The zone of an instance target; or why it cannot be one.
Result<std::string> instance_zone(const State& state, const model::TargetGroup& group,
                                  const TargetDescription& target) {
  if (!model::is_ec2_id(target.id, "i-")) {
    return fail("ValidationError",
                fmt::format("Instance ID '{}' is not valid", target.id.substr(0, 100)));
  }
  const auto found = state.instances.find(target.id);
  if (found == state.instances.end() || found->second.vpc_id != group.vpc_id) {
    return fail("InvalidTarget",
                fmt::format("The following targets are not in the target group VPC '{}': '{}'",
                            group.vpc_id, target.id));
  }
  if (found->second.state != InstanceState::running) {
    return fail("InvalidTarget",
                fmt::format("The following targets are not in a running state and cannot be "
                            "registered: '{}'",
                            target.id));
  }
  return found->second.zone;
}

// Weir adds loopback to AWS's ranges: without it a service beside the daemon could not be a target.
bool is_allowed_outside(model::Ipv4 address) {
  constexpr std::array<std::string_view, 5> ranges = {
      "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"};
  return std::ranges::any_of(
      ranges, [&](std::string_view range) { return model::Cidr::parse(range)->contains(address); });
}

Result<std::string> address_zone(const State& state, const model::TargetGroup& group,
                                 const TargetDescription& target) {
  const auto address = model::Ipv4::parse(target.id);
  if (!address) {
    return fail("ValidationError", fmt::format("The IP address '{}' is not a valid IPv4 address",
                                               target.id.substr(0, 100)));
  }
  if (const model::Subnet* subnet = subnet_of(state, group.vpc_id, *address)) {
    if (!target.zone.empty() && target.zone != subnet->zone) {
      return fail("ValidationError",
                  fmt::format("The IP address '{}' lies in the Availability Zone '{}', not '{}'",
                              target.id, subnet->zone, target.zone));
    }
    return subnet->zone;
  }
  const auto vpc = state.vpcs.find(group.vpc_id);
  const bool is_inside =
      vpc != state.vpcs.end() && model::Cidr::parse(vpc->second.cidr)->contains(*address);
  if (is_inside || !is_allowed_outside(*address)) {
    return fail("ValidationError",
                fmt::format("The IP address '{}' is not within a subnet of the VPC, nor within "
                            "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
                            target.id));
  }
  if (target.zone != "all") {
    return fail("ValidationError",
                fmt::format("You must specify the Availability Zone 'all' for the IP address '{}', "
                            "which is outside of the VPC",
                            target.id));
  }
  return "all";
}

// The record that a registration makes; nothing where the target is registered already.
Result<std::optional<model::Target>> registration(const State& state,
                                                  const model::TargetGroup& group,
                                                  std::int64_t now_ms,
                                                  const TargetDescription& description) {
  const auto port = port_of(description, group);
  if (!port) return std::unexpected(port.error());
  auto zone = group.target_type == "instance" ? instance_zone(state, group, description)
                                              : address_zone(state, group, description);
  if (!zone) return std::unexpected(zone.error());

  const auto old = state.targets.find(TargetKey{group.arn, description.id, *port});
  const bool is_registered = old != state.targets.end() && old->second.draining_until_ms == 0;
  if (is_registered) return std::nullopt;
  return model::Target{.target_group_arn = group.arn,
                       .id = description.id,
                       .port = *port,
                       .zone = std::move(*zone),
                       .registered_at_ms = now_ms};
}

// A description without a port means the registration with the group's.
Status deregister_one(Draft& draft, const model::TargetGroup& group, long delay_seconds,
                      const TargetDescription& description) {
  const auto port = port_of(description, group);
  if (!port) return std::unexpected(port.error());
  const TargetKey key{group.arn, description.id, *port};
  const auto found = draft.state().targets.find(key);
  if (found == draft.state().targets.end() || found->second.draining_until_ms != 0) return {};

  if (delay_seconds == 0) {
    draft.erase_target(key);
    return {};
  }
  model::Target target = found->second;
  target.draining_until_ms = wall_ms() + delay_seconds * 1000;
  draft.put(std::move(target));
  return {};
}

// ---------------------------------------------------------------- health
TargetHealth unused(TargetHealth health, std::string reason, std::string description) {
  health.state = "unused";
  health.reason = std::move(reason);
  health.description = std::move(description);
  return health;
}

std::pair<model::Target, std::optional<TargetHealth>> not_registered(
    const TargetDescription& description, std::uint16_t port) {
  TargetHealth health;
  health.target_id = description.id;
  health.port = port;
  return {model::Target(), unused(std::move(health), "Target.NotRegistered",
                                  "Target is not registered to the target group")};
}

// The zones that the load balancer of the group has a node in.
std::set<std::string> enabled_zones(const State& state, const std::set<std::string>& users) {
  std::set<std::string> zones;
  for (const std::string& arn : users) {
    const auto found = state.load_balancers.find(arn);
    if (found == state.load_balancers.end()) continue;
    for (const model::LoadBalancerNode& node : found->second.nodes) zones.insert(node.zone);
  }
  return zones;
}

bool is_node_address(const State& state, const std::string& address) {
  for (const auto& [arn, load_balancer] : state.load_balancers) {
    for (const model::LoadBalancerNode& node : load_balancer.nodes) {
      if (node.private_ip == address) return true;
    }
  }
  return false;
}

// What the resources alone tell of a target; nothing where the health checker must be asked.
std::optional<TargetHealth> health_by_state(const State& state, const model::TargetGroup& group,
                                            const std::set<std::string>& users,
                                            const model::Target& target) {
  TargetHealth health{.target_id = target.id,
                      .port = target.port,
                      .zone = target.zone,
                      .state = {},
                      .reason = {},
                      .description = {}};
  if (target.draining_until_ms != 0) {
    health.state = "draining";
    health.reason = "Target.DeregistrationInProgress";
    health.description = "Target deregistration is in progress";
    return health;
  }
  if (group.target_type == "instance") {
    const auto found = state.instances.find(target.id);
    const auto instance_state =
        found == state.instances.end() ? InstanceState::terminated : found->second.state;
    if (instance_state == InstanceState::stopped || instance_state == InstanceState::terminated) {
      return unused(std::move(health), "Target.InvalidState",
                    fmt::format("Target is in the {} state", model::name_of(instance_state)));
    }
    if (instance_state != InstanceState::running && instance_state != InstanceState::pending) {
      return unused(std::move(health), "Target.InvalidState", "Target is in an invalid state");
    }
  } else if (is_node_address(state, target.id)) {
    return unused(std::move(health), "Target.IpUnusable",
                  "The IP address cannot be used as a target, as it is in use by a load balancer");
  }
  if (users.empty()) {
    return unused(std::move(health), "Target.NotInUse",
                  "Target group is not configured to receive traffic from the load balancer");
  }
  if (target.zone != "all" && !enabled_zones(state, users).contains(target.zone)) {
    return unused(std::move(health), "Target.NotInUse",
                  "Target is in an Availability Zone that is not enabled for the load balancer");
  }
  return std::nullopt;
}

TargetHealth health_by_checks(const DataPlane& data_plane, const model::Target& target) {
  TargetHealth health =
      data_plane.health(TargetKey{target.target_group_arn, target.id, target.port});
  health.target_id = target.id;
  health.port = target.port;
  health.zone = target.zone;
  if (health.state.empty()) {
    health.state = "initial";
    health.reason = "Elb.RegistrationInProgress";
    health.description = "Target registration is in progress";
  }
  return health;
}

// ---------------------------------------------------------------- the end of registrations
// What a pass over all targets needs to know of a group, looked up once.
struct GroupFacts {
  bool exists = false;
  bool has_instances = false;
  bool is_in_use = false;
};

GroupFacts facts_of(const State& state, const std::string& arn) {
  const auto group = state.target_groups.find(arn);
  if (group == state.target_groups.end()) return {};
  return {.exists = true,
          .has_instances = group->second.target_type == "instance",
          .is_in_use = !load_balancers_of(state, arn).empty()};
}

bool is_over(const State& state, const GroupFacts& group, const model::Target& target,
             std::int64_t now_ms) {
  if (!group.exists) return true;
  // An instance whose record is gone will not come back.
  if (group.has_instances && !state.instances.contains(target.id)) return true;
  if (target.draining_until_ms == 0) return false;
  return target.draining_until_ms <= now_ms || !group.is_in_use;
}

std::vector<TargetKey> registrations_over(const State& state) {
  const std::int64_t now_ms = wall_ms();
  std::vector<TargetKey> keys;
  std::map<std::string, GroupFacts> groups;
  const auto look_at = [&](const TargetKey& key) {
    const std::string& arn = std::get<0>(key);
    if (!groups.contains(arn)) groups[arn] = facts_of(state, arn);
    if (is_over(state, groups[arn], state.targets.at(key), now_ms)) keys.push_back(key);
  };
  for (const TargetKey& key : state.index.draining()) look_at(key);
  const auto& by_id = state.index.registrations();
  for (auto at = by_id.lower_bound("i-"); at != by_id.end() && at->first.starts_with("i-"); ++at) {
    if (state.instances.contains(at->first)) continue;
    for (const TargetKey& key : at->second) {
      if (!state.index.draining().contains(key)) look_at(key);
    }
  }
  return keys;
}

}  // namespace

Status Elb::register_targets(const std::string& target_group_arn,
                             const std::vector<TargetDescription>& targets) {
  if (targets.empty()) return fail("ValidationError", "At least one target must be specified");
  return registry_.update([&](Draft& draft) -> Status {
    const auto group = find_target_group(draft.state(), target_group_arn);
    if (!group) return std::unexpected(group.error());
    // One time for all: those of one registration begin together (slow start, reference §4.3).
    const std::int64_t now_ms = wall_ms();
    std::vector<TargetKey> added;  // without those that drain: they count already
    std::vector<model::Target> records;
    for (const TargetDescription& target : targets) {
      auto made = registration(draft.state(), **group, now_ms, target);
      if (!made) return std::unexpected(made.error());
      if (!*made) continue;
      TargetKey key{(*made)->target_group_arn, (*made)->id, (*made)->port};
      if (!draft.state().targets.contains(key)) added.push_back(std::move(key));
      records.push_back(std::move(**made));
    }
    if (auto valid = check_target_limits(draft.state(), target_group_arn, added, limits_); !valid) {
      return valid;
    }
    for (model::Target& record : records) draft.put(std::move(record));
    return {};
  });
}

Status Elb::deregister_targets(const std::string& target_group_arn,
                               const std::vector<TargetDescription>& targets) {
  if (targets.empty()) return fail("ValidationError", "At least one target must be specified");
  return registry_.update([&](Draft& draft) -> Status {
    const auto group = find_target_group(draft.state(), target_group_arn);
    if (!group) return std::unexpected(group.error());
    // Nothing is in flight where nothing forwards to the group.
    const bool is_in_use = !load_balancers_of(draft.state(), target_group_arn).empty();
    const long delay_seconds = is_in_use ? model::deregistration_delay_seconds(**group) : 0;
    for (const TargetDescription& target : targets) {
      if (auto done = deregister_one(draft, **group, delay_seconds, target); !done) return done;
    }
    return {};
  });
}

Result<std::vector<TargetHealth>> Elb::describe_target_health(const std::string& target_group_arn) {
  return describe_target_health(target_group_arn, {});
}

Result<std::vector<TargetHealth>> Elb::describe_target_health(
    const std::string& target_group_arn, const std::vector<TargetDescription>& asked) {
  // The data plane is asked after the lock is released: it may wait for the health checker.
  std::vector<std::pair<model::Target, std::optional<TargetHealth>>> targets;
  Status found;
  registry_.read([&](const State& state) {
    const auto group = find_target_group(state, target_group_arn);
    if (!group) {
      found = std::unexpected(group.error());
      return;
    }
    const std::set<std::string> users = load_balancers_of(state, target_group_arn);
    const auto add = [&](const model::Target& target) {
      targets.emplace_back(target, health_by_state(state, **group, users, target));
    };
    if (asked.empty()) {
      for (const model::Target* target : targets_of(state, target_group_arn)) add(*target);
    }
    for (const TargetDescription& description : asked) {
      const auto port = port_of(description, **group);
      if (!port) {
        found = std::unexpected(port.error());
        return;
      }
      const auto target = state.targets.find(TargetKey{target_group_arn, description.id, *port});
      if (target != state.targets.end()) {
        add(target->second);
      } else {
        targets.push_back(not_registered(description, *port));
      }
    }
  });
  if (!found) return std::unexpected(found.error());

  std::vector<TargetHealth> out;
  out.reserve(targets.size());
  for (auto& [target, by_state] : targets) {
    out.push_back(by_state ? std::move(*by_state) : health_by_checks(data_plane_, target));
  }
  return out;
}

void Elb::finish_deregistrations() {
  bool has_any = false;
  registry_.read([&](const State& state) { has_any = !registrations_over(state).empty(); });
  if (!has_any) return;
  const auto done = registry_.update([](Draft& draft) -> Status {
    for (const TargetKey& key : registrations_over(draft.state())) draft.erase_target(key);
    return {};
  });
  if (!done) log::error("deregistered targets cannot be removed: {}", done.error().message);
}

}  // namespace weir::control
