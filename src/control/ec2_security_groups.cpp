// Security groups: reference §9.4.
#include <fmt/format.h>

#include <algorithm>

#include "base/ids.hpp"
#include "control/addresses.hpp"
#include "control/ec2_impl.hpp"
#include "model/limits.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

// The API knows a rule by its peer, protocol and ports; the description is a remark.
bool is_same_rule(model::SecurityGroupRule a, const model::SecurityGroupRule& b) {
  a.description = b.description;
  return a == b;
}

// Where `wanted` is among the rules: by its id, where it has one, else by what it says.
Result<Rules::iterator> find_rule(Rules& rules, const model::SecurityGroupRule& wanted) {
  if (!wanted.id.empty()) {
    const auto found = std::ranges::find(rules, wanted.id, &model::SecurityGroupRule::id);
    if (found != rules.end()) return found;
    return fail("InvalidSecurityGroupRuleId.NotFound",
                fmt::format("The security group rule ID '{}' does not exist", wanted.id));
  }
  const auto canonical = model::canonical_rule(wanted);
  if (!canonical) return std::unexpected(canonical.error());
  const auto found = std::ranges::find_if(
      rules, [&](const model::SecurityGroupRule& rule) { return is_same_rule(*canonical, rule); });
  if (found != rules.end()) return found;
  return fail("InvalidPermission.NotFound",
              "The specified rule does not exist in this security group.");
}

Status add_rule(const State& state, const std::string& vpc_id, const model::SecurityGroupRule& rule,
                Rules& rules) {
  auto canonical = model::canonical_rule(rule);
  if (!canonical) return std::unexpected(canonical.error());
  if (!canonical->group_id.empty()) {
    const auto peer = state.security_groups.find(canonical->group_id);
    if (peer == state.security_groups.end() || peer->second.vpc_id != vpc_id) {
      return fail("InvalidGroup.NotFound",
                  fmt::format("The security group '{}' does not exist in VPC '{}'",
                              canonical->group_id, vpc_id));
    }
  }
  const bool is_there = std::ranges::any_of(
      rules, [&](const model::SecurityGroupRule& old) { return is_same_rule(*canonical, old); });
  if (is_there) {
    return fail("InvalidPermission.Duplicate",
                fmt::format("the specified rule \"{}\" already exists", describe(*canonical)));
  }
  if (canonical->id.empty()) canonical->id = make_ec2_id("sgr-");
  rules.push_back(std::move(*canonical));
  return {};
}

Status add_rules(const State& state, const std::string& vpc_id, const Rules& wanted, Rules& rules) {
  for (const model::SecurityGroupRule& rule : wanted) {
    if (auto added = add_rule(state, vpc_id, rule, rules); !added) return added;
  }
  return {};
}

bool is_same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

Result<std::string> find_vpc(const State& state, const std::string& vpc_id) {
  if (vpc_id.empty()) {
    const model::Vpc* vpc = default_vpc(state);
    if (vpc == nullptr) return fail("VPCIdNotSpecified", "No default VPC for this user");
    return vpc->id;
  }
  if (!state.vpcs.contains(vpc_id)) {
    return fail("InvalidVpcID.NotFound", fmt::format("The vpc ID '{}' does not exist", vpc_id));
  }
  return vpc_id;
}

Result<model::SecurityGroup> find_group(const State& state, const std::string& id) {
  const auto found = state.security_groups.find(id);
  if (found == state.security_groups.end()) {
    return fail("InvalidGroup.NotFound", fmt::format("The security group '{}' does not exist", id));
  }
  return found->second;
}

bool refers_to(const model::SecurityGroup& group, const std::string& id) {
  const auto names = [&](const model::SecurityGroupRule& rule) { return rule.group_id == id; };
  return std::ranges::any_of(group.ingress, names) || std::ranges::any_of(group.egress, names);
}

// Instances, load balancers and rules of other groups.
bool has_dependents(const State& state, const std::string& id) {
  const auto has = [&](const std::vector<std::string>& ids) {
    return std::ranges::find(ids, id) != ids.end();
  };
  const bool has_instance = std::ranges::any_of(state.instances, [&](const auto& entry) {
    return entry.second.state != model::InstanceState::terminated &&
           has(entry.second.security_group_ids);
  });
  const bool has_load_balancer = std::ranges::any_of(state.load_balancers, [&](const auto& entry) {
    return has(entry.second.security_group_ids);
  });
  const bool has_rule = std::ranges::any_of(state.security_groups, [&](const auto& entry) {
    return entry.first != id && refers_to(entry.second, id);
  });
  return has_instance || has_load_balancer || has_rule;
}

Rules& rules_of(model::SecurityGroup& group, Direction direction) {
  return direction == Direction::ingress ? group.ingress : group.egress;
}

Status authorize_one(Registry& registry, const std::string& id,
                     const model::SecurityGroupRule& rule, Rules model::SecurityGroup::*direction) {
  return registry.update([&](Draft& draft) -> Status {
    auto group = find_group(draft.state(), id);
    if (!group) return std::unexpected(group.error());
    if (auto added = add_rule(draft.state(), group->vpc_id, rule, (*group).*direction); !added) {
      return added;
    }
    draft.put(std::move(*group));
    return {};
  });
}

}  // namespace

Result<model::SecurityGroup> Ec2::create_security_group(const CreateSecurityGroupInput& input) {
  for (const auto& valid : {model::validate_security_group_name(input.name),
                            model::validate_security_group_description(input.description),
                            model::validate_tags(input.tags)}) {
    if (!valid) return std::unexpected(valid.error());
  }
  model::SecurityGroup group{.id = make_ec2_id("sg-"),
                             .name = input.name,
                             .description = input.description,
                             .vpc_id = {},
                             .ingress = {},
                             .egress = {},
                             .tags = input.tags};
  const auto stored = impl_->registry.update([&](Draft& draft) -> Status {
    const State& state = draft.state();
    auto vpc_id = find_vpc(state, input.vpc_id);
    if (!vpc_id) return std::unexpected(vpc_id.error());
    group.vpc_id = std::move(*vpc_id);
    for (const auto& [id, other] : state.security_groups) {
      if (other.vpc_id == group.vpc_id && is_same_name(other.name, group.name)) {
        return fail("InvalidGroup.Duplicate",
                    fmt::format("The security group '{}' already exists for VPC '{}'", group.name,
                                group.vpc_id));
      }
    }
    Rules egress = input.egress;
    if (egress.empty()) {
      egress.emplace_back();
      egress.back().protocol = "-1";
      egress.back().cidr = "0.0.0.0/0";
    }
    if (auto added = add_rules(state, group.vpc_id, input.ingress, group.ingress); !added) {
      return added;
    }
    if (auto added = add_rules(state, group.vpc_id, egress, group.egress); !added) return added;
    draft.put(group);
    return {};
  });
  if (!stored) return std::unexpected(stored.error());
  return group;
}

Status Ec2::delete_security_group(const std::string& id) {
  return impl_->registry.update([&](Draft& draft) -> Status {
    const auto group = find_group(draft.state(), id);
    if (!group) return std::unexpected(group.error());
    if (group->name == "default") {
      return fail(
          "CannotDelete",
          fmt::format("the specified group: \"{}\" name: \"default\" cannot be deleted by a "
                      "user",
                      id));
    }
    if (has_dependents(draft.state(), id)) {
      return fail("DependencyViolation", fmt::format("resource {} has a dependent object", id));
    }
    draft.erase_security_group(id);
    return {};
  });
}

Status Ec2::authorize_ingress(const std::string& id, const model::SecurityGroupRule& rule) {
  return authorize_one(impl_->registry, id, rule, &model::SecurityGroup::ingress);
}

Status Ec2::authorize_egress(const std::string& id, const model::SecurityGroupRule& rule) {
  return authorize_one(impl_->registry, id, rule, &model::SecurityGroup::egress);
}

Result<Rules> Ec2::authorize(const std::string& id, Direction direction, const Rules& rules) {
  Rules added;
  const auto stored = impl_->registry.update([&](Draft& draft) -> Status {
    auto group = find_group(draft.state(), id);
    if (!group) return std::unexpected(group.error());
    Rules& all = rules_of(*group, direction);
    const std::size_t before = all.size();
    if (auto done = add_rules(draft.state(), group->vpc_id, rules, all); !done) return done;
    if (all.size() > model::limits::security_group_rules_max) {
      return fail("RulesPerSecurityGroupLimitExceeded",
                  "The maximum number of rules per security group has been reached.");
    }
    added.assign(all.begin() + static_cast<std::ptrdiff_t>(before), all.end());
    draft.put(std::move(*group));
    return {};
  });
  if (!stored) return std::unexpected(stored.error());
  return added;
}

Result<Rules> Ec2::revoke(const std::string& id, Direction direction, const Rules& rules) {
  Rules removed;
  const auto stored = impl_->registry.update([&](Draft& draft) -> Status {
    auto group = find_group(draft.state(), id);
    if (!group) return std::unexpected(group.error());
    Rules& all = rules_of(*group, direction);
    for (const model::SecurityGroupRule& rule : rules) {
      const auto found = find_rule(all, rule);
      if (!found) return std::unexpected(found.error());
      removed.push_back(**found);
      all.erase(*found);
    }
    draft.put(std::move(*group));
    return {};
  });
  if (!stored) return std::unexpected(stored.error());
  return removed;
}

Status Ec2::describe_rules(const std::string& id, Direction direction, const Rules& rules) {
  return impl_->registry.update([&](Draft& draft) -> Status {
    auto group = find_group(draft.state(), id);
    if (!group) return std::unexpected(group.error());
    for (const model::SecurityGroupRule& rule : rules) {
      const auto found = find_rule(rules_of(*group, direction), rule);
      if (!found) return std::unexpected(found.error());
      model::SecurityGroupRule described = **found;
      described.description = rule.description;
      auto valid = model::canonical_rule(described);
      if (!valid) return std::unexpected(valid.error());
      **found = std::move(*valid);
    }
    draft.put(std::move(*group));
    return {};
  });
}

Status Ec2::modify_rules(const std::string& id, const Rules& rules) {
  return impl_->registry.update([&](Draft& draft) -> Status {
    auto group = find_group(draft.state(), id);
    if (!group) return std::unexpected(group.error());
    for (model::SecurityGroupRule rule : rules) {
      const bool is_inward =
          std::ranges::find(group->ingress, rule.id, &model::SecurityGroupRule::id) !=
          group->ingress.end();
      Rules& all = is_inward ? group->ingress : group->egress;
      const auto found = find_rule(all, rule);
      if (!found) return std::unexpected(found.error());
      rule.tags = (*found)->tags;
      all.erase(*found);
      if (auto added = add_rule(draft.state(), group->vpc_id, rule, all); !added) return added;
    }
    draft.put(std::move(*group));
    return {};
  });
}

}  // namespace weir::control
