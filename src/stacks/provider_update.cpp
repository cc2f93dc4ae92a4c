// Changes of single resources in place: what the wanted properties have that the former ones had
// not is added, what they lack is taken away, and the rest stays, also what others have added.
//
// Half of a change may have been made already, by an update that failed: so adding what is there
// and removing what is gone succeed.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <utility>

#include "model/attributes.hpp"
#include "model/ssl_policies.hpp"
#include "stacks/convert.hpp"
#include "stacks/provider.hpp"

namespace weir::stacks {

namespace {

using Rules = std::vector<model::SecurityGroupRule>;

template <typename Inputs>
struct Both {
  Inputs former;
  Inputs wanted;
};

template <typename Convert>
auto converted(const Wanted& former, const Wanted& wanted, Convert convert)
    -> Result<Both<decltype(convert(wanted.properties, std::declval<const Site&>()))>> {
  Diagnostics diagnostics(wanted.file_name);
  const Site site{fmt::format("Resources.{}.Properties", wanted.logical_id), diagnostics};
  Both<decltype(convert(wanted.properties, site))> both{convert(former.properties, site),
                                                        convert(wanted.properties, site)};
  if (!diagnostics.empty()) return std::unexpected(diagnostics.error());
  return both;
}

struct TagChanges {
  model::Tags added;
  std::vector<std::string> removed;
};

model::Tags all_tags(const Wanted& wanted) {
  Diagnostics unused("");
  model::Tags tags = to_tags(wanted.properties, {"", unused});
  tags.insert(wanted.stack_tags.begin(), wanted.stack_tags.end());
  return tags;
}

TagChanges tag_changes(const Wanted& former, const Wanted& wanted) {
  TagChanges changes{all_tags(wanted), {}};
  for (const auto& [key, value] : all_tags(former)) {
    if (!changes.added.contains(key)) changes.removed.push_back(key);
  }
  return changes;
}

void apply_tags(const TagChanges& changes, model::Tags& tags) {
  for (const std::string& key : changes.removed) tags.erase(key);
  for (const auto& [key, value] : changes.added) tags[key] = value;
}

// The wanted attributes, and for those that were set and are no longer named their defaults.
model::Attributes attributes_to_set(const model::Attributes& former, model::Attributes wanted,
                                    std::span<const model::AttributeSpec> specs) {
  for (const auto& [key, value] : former) {
    const auto spec = std::ranges::find(specs, key, &model::AttributeSpec::key);
    if (spec != specs.end()) wanted.try_emplace(key, spec->default_value);
  }
  return wanted;
}

// What the template does not say any more goes back to its default.
control::ListenerSecurity security_to_set(const control::CreateListenerInput& wanted) {
  control::ListenerSecurity out = wanted.security;
  if (wanted.protocol != "HTTPS") return out;
  if (!out.ssl_policy) out.ssl_policy = model::default_ssl_policy;
  if (!out.mutual_authentication) out.mutual_authentication.emplace();
  return out;
}

template <typename T>
std::vector<T> without(const std::vector<T>& all, const std::vector<T>& others) {
  std::vector<T> out;
  for (const T& one : all) {
    if (std::ranges::find(others, one) == others.end()) out.push_back(one);
  }
  return out;
}

// A group without egress rules of its own lets all out.
Rules effective_egress(Rules rules) {
  if (rules.empty()) {
    rules.emplace_back();
    rules.back().protocol = "-1";
    rules.back().cidr = "0.0.0.0/0";
  }
  return rules;
}

Status unless_there(Status status) {
  if (status || status.error().code != "InvalidPermission.Duplicate") return status;
  return {};
}

Status status_of(const auto& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

std::vector<control::TargetDescription> targets_missing_in(
    const std::vector<control::TargetDescription>& all,
    const std::vector<control::TargetDescription>& others) {
  std::vector<control::TargetDescription> out;
  for (const control::TargetDescription& one : all) {
    const bool is_there = std::ranges::any_of(others, [&](const auto& other) {
      return other.id == one.id && other.port == one.port && other.zone == one.zone;
    });
    if (!is_there) out.push_back(one);
  }
  return out;
}

}  // namespace

Status Provider::update(const Wanted& former, const Wanted& wanted, Made& made) {
  const std::string& type = wanted.type;
  if (type == "AWS::EC2::SecurityGroup") return update_security_group(former, wanted, made);
  if (type == "AWS::EC2::SecurityGroupIngress" || type == "AWS::EC2::SecurityGroupEgress") {
    return update_rule_description(wanted, made);
  }
  if (type == "AWS::EC2::Instance") {
    return registry_.update([&](control::Draft& draft) -> Status {
      const auto found = draft.state().instances.find(made.physical_id);
      if (found == draft.state().instances.end()) {
        return fail("InvalidInstanceID.NotFound",
                    fmt::format("The instance ID '{}' does not exist", made.physical_id));
      }
      model::Instance instance = found->second;
      apply_tags(tag_changes(former, wanted), instance.tags);
      draft.put(std::move(instance));
      return {};
    });
  }
  if (!type.starts_with("AWS::ElasticLoadBalancingV2::")) return {};
  Status done;
  if (type.ends_with("::TargetGroup")) done = update_target_group(former, wanted, made);
  if (type.ends_with("::LoadBalancer")) done = update_load_balancer(former, wanted, made);
  if (type.ends_with("::Listener")) done = update_listener(former, wanted, made);
  if (type.ends_with("::ListenerCertificate"))
    return update_listener_certificate(former, wanted, made);
  if (type.ends_with("::ListenerRule")) done = update_rule(former, wanted, made);
  if (!done) return done;
  const TagChanges tags = tag_changes(former, wanted);
  if (!tags.removed.empty()) {
    if (Status removed = elb_.remove_tags({made.physical_id}, tags.removed); !removed) {
      return removed;
    }
  }
  return tags.added.empty() ? Status{} : elb_.add_tags({made.physical_id}, tags.added);
}

Status Provider::update_security_group(const Wanted& former, const Wanted& wanted,
                                       const Made& made) {
  auto both = converted(former, wanted, to_security_group);
  if (!both) return std::unexpected(both.error());
  for (Rules* rules : {&both->former.ingress, &both->wanted.ingress}) {
    for (model::SecurityGroupRule& rule : *rules) {
      if (rule.group_id.empty() || rule.group_id.starts_with("sg-")) continue;
      Result<std::string> id = group_id_of(rule.group_id);
      if (!id) return std::unexpected(id.error());
      rule.group_id = std::move(*id);
    }
  }
  const Rules former_egress = effective_egress(both->former.egress);
  const Rules wanted_egress = effective_egress(both->wanted.egress);
  Status done = registry_.update([&](control::Draft& draft) -> Status {
    const auto found = draft.state().security_groups.find(made.physical_id);
    if (found == draft.state().security_groups.end()) {
      return fail("InvalidGroup.NotFound",
                  fmt::format("The security group '{}' does not exist", made.physical_id));
    }
    model::SecurityGroup group = found->second;
    for (const auto& rule : without(both->former.ingress, both->wanted.ingress)) {
      std::erase(group.ingress, rule);
    }
    for (const auto& rule : without(former_egress, wanted_egress)) std::erase(group.egress, rule);
    apply_tags(tag_changes(former, wanted), group.tags);
    draft.put(std::move(group));
    return {};
  });
  if (!done) return done;
  for (const auto& rule : without(both->wanted.ingress, both->former.ingress)) {
    done = unless_there(ec2_.authorize_ingress(made.physical_id, rule));
    if (!done) return done;
  }
  for (const auto& rule : without(wanted_egress, former_egress)) {
    done = unless_there(ec2_.authorize_egress(made.physical_id, rule));
    if (!done) return done;
  }
  return {};
}

// All else of such a rule makes another one.
Status Provider::update_rule_description(const Wanted& wanted, Made& made) {
  Diagnostics diagnostics(wanted.file_name);
  const bool is_ingress = made.attributes["Direction"] == "ingress";
  const model::SecurityGroupRule rule =
      to_security_group_rule(wanted.properties, is_ingress, {"", diagnostics}).rule;
  return registry_.update([&](control::Draft& draft) -> Status {
    const auto found = draft.state().security_groups.find(made.attributes["GroupId"]);
    if (found == draft.state().security_groups.end()) return {};
    model::SecurityGroup group = found->second;
    for (model::SecurityGroupRule& one : is_ingress ? group.ingress : group.egress) {
      model::SecurityGroupRule same = one;
      same.description = rule.description;
      model::SecurityGroupRule wanted_rule = rule;
      wanted_rule.group_id = made.attributes["PeerGroupId"];  // an id, where it was a name
      if (same == wanted_rule) one.description = rule.description;
    }
    made.attributes["Description"] = rule.description;
    draft.put(std::move(group));
    return {};
  });
}

Status Provider::update_target_group(const Wanted& former, const Wanted& wanted, const Made& made) {
  const auto both = converted(former, wanted, to_target_group);
  if (!both) return std::unexpected(both.error());
  const model::HealthCheck& check = both->wanted.create.health_check;
  Status done =
      status_of(elb_.modify_target_group({.target_group_arn = made.physical_id,
                                          .health_check_enabled = check.enabled,
                                          .health_check_protocol = check.protocol,
                                          .health_check_port = check.port,
                                          .health_check_path = check.path,
                                          .health_check_timeout_seconds = check.timeout_seconds,
                                          .health_check_interval_seconds = check.interval_seconds,
                                          .healthy_threshold = check.healthy_threshold,
                                          .unhealthy_threshold = check.unhealthy_threshold,
                                          .http_codes = check.http_codes}));
  if (!done) return done;
  if (both->wanted.create.attributes != both->former.create.attributes) {
    done = status_of(elb_.modify_target_group_attributes(
        made.physical_id,
        attributes_to_set(both->former.create.attributes, both->wanted.create.attributes,
                          model::target_group_attributes())));
    if (!done) return done;
  }
  const auto added = targets_missing_in(both->wanted.targets, both->former.targets);
  const auto removed = targets_missing_in(both->former.targets, both->wanted.targets);
  if (!added.empty()) done = elb_.register_targets(made.physical_id, added);
  if (!done || removed.empty()) return done;
  return elb_.deregister_targets(made.physical_id, removed);
}

Status Provider::update_load_balancer(const Wanted& former, const Wanted& wanted, Made& made) {
  const auto both = converted(former, wanted, to_load_balancer);
  if (!both) return std::unexpected(both.error());
  const control::CreateLoadBalancerInput& now = both->wanted;
  Status done;
  if (now.subnet_ids != both->former.subnet_ids) {
    done = status_of(elb_.set_subnets(made.physical_id, now.subnet_ids));
    if (!done) return done;
  }
  if (now.security_group_ids != both->former.security_group_ids) {
    const auto balancer = elb_.set_security_groups(made.physical_id, now.security_group_ids);
    if (!balancer) return std::unexpected(balancer.error());
    made.attributes["SecurityGroups"] =
        fmt::format("{}", fmt::join(balancer->security_group_ids, ","));
  }
  if (now.attributes == both->former.attributes) return {};
  return status_of(elb_.modify_load_balancer_attributes(
      made.physical_id, attributes_to_set(both->former.attributes, now.attributes,
                                          model::load_balancer_attributes())));
}

Status Provider::update_listener_certificate(const Wanted& former, const Wanted& wanted,
                                             Made& made) {
  const auto both = converted(former, wanted, to_listener_certificate);
  if (!both) return std::unexpected(both.error());
  const auto& now = both->wanted;
  if (auto added = elb_.add_listener_certificates(now.listener_arn, now.certificate_arns); !added) {
    return added;
  }
  made.attributes["Certificates"] = fmt::format("{}", fmt::join(now.certificate_arns, ","));
  return elb_.remove_listener_certificates(
      now.listener_arn, without(both->former.certificate_arns, now.certificate_arns));
}

Status Provider::update_listener(const Wanted& former, const Wanted& wanted, const Made& made) {
  const auto both = converted(former, wanted, to_listener);
  if (!both) return std::unexpected(both.error());
  const control::CreateListenerInput& now = both->wanted;
  Status done = status_of(elb_.modify_listener({.listener_arn = made.physical_id,
                                                .protocol = now.protocol,
                                                .port = now.port,
                                                .default_actions = now.default_actions,
                                                .security = security_to_set(now)}));
  if (!done || now.attributes == both->former.attributes) return done;
  return status_of(elb_.modify_listener_attributes(
      made.physical_id,
      attributes_to_set(both->former.attributes, now.attributes, model::listener_attributes())));
}

Status Provider::update_rule(const Wanted& former, const Wanted& wanted, const Made& made) {
  const auto both = converted(former, wanted, to_rule);
  if (!both) return std::unexpected(both.error());
  const control::CreateRuleInput& now = both->wanted;
  Status done = status_of(elb_.modify_rule({.rule_arn = made.physical_id,
                                            .conditions = now.conditions,
                                            .actions = now.actions,
                                            .transforms = now.transforms}));
  if (!done || now.priority == both->former.priority) return done;
  return status_of(elb_.set_rule_priorities({{made.physical_id, now.priority}}));
}

}  // namespace weir::stacks
