#include "routing/targets.hpp"

#include <algorithm>
#include <iterator>

#include "routing/changes.hpp"

namespace weir::routing {
namespace {

void set_unused(Target& target, std::string_view reason, std::string_view description) {
  if (!target.usable) return;  // the first reason found is the one shown
  target.usable = false;
  target.unused_reason = reason;
  target.unused_description = description;
}

std::string_view invalid_state_description(const model::Instance* instance) {
  if (instance == nullptr || instance->state == model::InstanceState::terminated)
    return "Target is in the terminated state";
  if (instance->state == model::InstanceState::stopped) return "Target is in the stopped state";
  return "Target is in an invalid state";
}

// False: the target's zone is not enabled.
bool find_node(Target& target, const model::LoadBalancer& load_balancer) {
  if (target.zone.empty() || target.zone == "all") return true;
  const auto& nodes = load_balancer.nodes;
  const auto found = std::ranges::find(nodes, target.zone, &model::LoadBalancerNode::zone);
  if (found == nodes.end()) return false;
  target.node = static_cast<std::uint32_t>(found - nodes.begin());
  return true;
}

void check_use(Target& target, const model::LoadBalancer* load_balancer) {
  if (load_balancer == nullptr) {
    set_unused(target, "Target.NotInUse",
               "Target group is not configured to receive traffic from the load balancer");
  } else if (!find_node(target, *load_balancer)) {
    set_unused(target, "Target.NotInUse",
               "Target is in an Availability Zone that is not enabled for the load balancer");
  }
}

// FNV-1a over the parts, each with its length. What it is made of is the operator's, not a
// client's.
std::uint64_t identity_of(std::initializer_list<std::string_view> parts) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const std::string_view part : parts) {
    for (const char c : part) add(static_cast<unsigned char>(c));
    for (std::size_t size = part.size(); size != 0; size >>= 8U)
      add(static_cast<unsigned char>(size & 0xffU));
  }
  return hash;
}

// A target that was registered anew is another one: its old sessions do not come back.
void number_for_cookies(TargetGroup& group) {
  group.by_identity.reset();
  if (group.policy.stickiness.kind == BalancingPolicy::Stickiness::Kind::off) return;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> numbered;
  numbered.reserve(group.targets.size());
  for (const Target& target : group.targets)
    numbered.emplace_back(target.identity, static_cast<std::uint32_t>(numbered.size()));
  std::ranges::sort(numbered);
  group.by_identity = std::make_shared<const decltype(numbered)>(std::move(numbered));
}

auto key_of(const Target& target) { return std::tie(target.id, target.port); }

bool is_checked(const Target& target) { return target.usable && !target.draining; }

}  // namespace

TargetCompiler::TargetCompiler(const Sources& sources, const Snapshot* previous,
                               std::uint64_t revision, const Changes* changes)
    : sources_(sources),
      revision_(revision),
      changes_(changes),
      vpc_(IpRange::parse(sources.vpc_cidr)) {
  for (const auto& [arn, load_balancer] : sources.load_balancers) {
    for (const model::LoadBalancerNode& node : load_balancer.nodes)
      load_balancer_addresses_.insert(node.private_ip);
  }
  if (previous == nullptr) return;
  for (const TargetGroup& group : previous->target_groups)
    previous_groups_.emplace(group.arn, &group);
}

void TargetCompiler::locate_instance(Target& out) const {
  const auto found = sources_.instances.find(out.id);
  const model::Instance* instance = found == sources_.instances.end() ? nullptr : &found->second;
  out.in_vpc = true;
  if (instance != nullptr) {
    out.address = instance->private_ip;
    out.zone = instance->zone;
  }
  if (instance == nullptr || instance->state != model::InstanceState::running)
    set_unused(out, "Target.InvalidState", invalid_state_description(instance));
}

void TargetCompiler::locate_address(Target& out) const {
  out.address = out.id;
  const auto address = IpAddress::parse(out.id);
  out.in_vpc = vpc_ && address && vpc_->contains(*address);
  if (load_balancer_addresses_.contains(out.id)) {
    set_unused(out, "Target.IpUnusable",
               "The IP address cannot be used as a target, as it is in use by a load balancer");
  }
}

Target TargetCompiler::compile_target(const model::Target& source, const model::TargetGroup& group,
                                      const model::LoadBalancer* load_balancer) const {
  Target out;
  out.id = source.id;
  out.port = source.port;
  out.zone = source.zone;
  out.registered_at_ms = source.registered_at_ms;
  out.identity =
      identity_of({out.id, std::to_string(out.port), std::to_string(out.registered_at_ms)});
  out.draining = source.draining_until_ms != 0;
  if (group.target_type == "instance") {
    locate_instance(out);
  } else {
    locate_address(out);
  }
  check_use(out, load_balancer);
  return out;
}

// A target keeps its health while it stays in use. One that comes back into use (its instance runs
// again, it was registered again while draining) starts anew.
void TargetCompiler::share_health(Target& target, const TargetGroup& previous) {
  const auto old = std::ranges::lower_bound(previous.targets, key_of(target), {}, key_of);
  if (old == previous.targets.end() || key_of(*old) != key_of(target)) return;
  const bool comes_back = is_checked(target) && !is_checked(*old);
  if (!comes_back) target.health = old->health;
}

void TargetCompiler::compile_targets(TargetGroup& out, const model::TargetGroup& source,
                                     const model::LoadBalancer* load_balancer) const {
  const auto found = previous_groups_.find(out.arn);
  const TargetGroup* previous = found == previous_groups_.end() ? nullptr : found->second;
  out.health_epoch =
      previous != nullptr ? previous->health_epoch : std::make_shared<std::atomic<std::uint32_t>>();
  // The sources are ordered by (group, id, port), so this group's targets lie together.
  const auto begin = sources_.targets.lower_bound({source.arn, {}, 0});
  for (auto it = begin; it != sources_.targets.end() && std::get<0>(it->first) == source.arn;
       ++it) {
    Target target = compile_target(it->second, source, load_balancer);
    if (previous != nullptr) share_health(target, *previous);
    if (!target.health) target.health = std::make_shared<TargetHealthCell>();
    out.targets.push_back(std::move(target));
  }
}

bool TargetCompiler::goes_on(const TargetGroup& previous,
                             const model::LoadBalancer* load_balancer) const {
  const std::string_view arn = load_balancer == nullptr ? std::string_view() : load_balancer->arn;
  return changes_ != nullptr && !changes_->all_targets &&
         !changes_->target_groups.contains(previous.arn) && previous.load_balancer_arn == arn;
}

TargetGroup TargetCompiler::with_changed_targets(const TargetGroup& previous,
                                                 const model::TargetGroup& source,
                                                 const model::LoadBalancer* load_balancer) const {
  TargetGroup out = previous;
  const auto begin = changes_->targets.lower_bound({source.arn, {}, 0});
  auto it = begin;
  for (; it != changes_->targets.end() && std::get<0>(*it) == source.arn; ++it) {
    const auto& [arn, id, port] = *it;
    auto at = std::ranges::lower_bound(out.targets, std::tie(id, port), {}, key_of);
    const bool was_there = at != out.targets.end() && key_of(*at) == std::tie(id, port);
    const auto now = sources_.targets.find(*it);
    if (now == sources_.targets.end()) {
      if (was_there) out.targets.erase(at);
      continue;
    }
    Target target = compile_target(now->second, source, load_balancer);
    share_health(target, previous);
    if (!target.health) target.health = std::make_shared<TargetHealthCell>();
    if (was_there) {
      out.targets.replace(at, std::move(target));
    } else {
      out.targets.insert(at, std::move(target));
    }
  }
  if (it == begin) return out;
  out.version = revision_;
  number_for_cookies(out);
  return out;
}

TargetGroup TargetCompiler::compile_group(const model::TargetGroup& source,
                                          const model::LoadBalancer* load_balancer) const {
  const auto previous = previous_groups_.find(source.arn);
  if (previous != previous_groups_.end() && goes_on(*previous->second, load_balancer))
    return with_changed_targets(*previous->second, source, load_balancer);
  TargetGroup out;
  out.arn = source.arn;
  out.name = source.name;
  out.identity = identity_of({out.arn});
  out.version = revision_;
  out.health_check = source.health_check;
  out.policy = compile_policy(source);
  out.in_use = load_balancer != nullptr;
  if (load_balancer != nullptr) out.load_balancer_arn = load_balancer->arn;
  if (load_balancer != nullptr && !load_balancer->nodes.empty()) {
    out.nodes = static_cast<std::uint32_t>(load_balancer->nodes.size());
    out.check_source = load_balancer->nodes.front().private_ip;
  }
  compile_targets(out, source, load_balancer);
  number_for_cookies(out);
  return out;
}

}  // namespace weir::routing
