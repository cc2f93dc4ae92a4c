// AWS::EC2 properties as inputs of control::Ec2.
#include <fmt/format.h>

#include "model/base64.hpp"
#include "model/validate.hpp"
#include "stacks/convert.hpp"

namespace weir::stacks {

namespace {

// `peer`: SourceSecurityGroup or DestinationSecurityGroup. A peer given by name stands with the
// name in place of its id.
model::SecurityGroupRule to_rule_value(const Value& value, std::string_view peer,
                                       const Site& site) {
  const Members members(value);
  model::SecurityGroupRule rule;
  rule.protocol = members.text("IpProtocol");
  rule.from_port = members.integer("FromPort", -1);
  rule.to_port = members.integer("ToPort", -1);
  rule.cidr = members.text("CidrIp");
  rule.cidr_v6 = members.text("CidrIpv6");
  rule.description = members.text("Description");
  rule.group_id = members.text(fmt::format("{}Id", peer));
  if (rule.group_id.empty()) rule.group_id = members.text(fmt::format("{}Name", peer));
  const auto is_later = [&](std::string_view name) {
    const Value* member = members.find(name);
    return member != nullptr && member->is_unknown();
  };
  for (const std::string_view name :
       {"IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6", "Description"}) {
    if (is_later(name)) return rule;
  }
  const Result<model::SecurityGroupRule> canonical = model::canonical_rule(rule);
  if (canonical) return *canonical;
  site.diagnostics.add(value.mark, site.path, canonical.error().message);
  return rule;
}

std::vector<model::SecurityGroupRule> to_rules(const Value& properties, std::string_view name,
                                               std::string_view peer, const Site& site) {
  std::vector<model::SecurityGroupRule> rules;
  std::size_t index = 0;
  for (const Value& item : Members(properties).items(name)) {
    const Site at{fmt::format("{}.{}[{}]", site.path, name, index++), site.diagnostics};
    rules.push_back(to_rule_value(item, peer, at));
  }
  return rules;
}

constexpr std::string_view source = "SourceSecurityGroup";
constexpr std::string_view destination = "DestinationSecurityGroup";

}  // namespace

control::CreateSecurityGroupInput to_security_group(const Value& properties, const Site& site) {
  const Members members(properties);
  control::CreateSecurityGroupInput input;
  input.name = members.text("GroupName");
  input.description = members.text("GroupDescription");
  input.vpc_id = members.text("VpcId");
  input.ingress = to_rules(properties, "SecurityGroupIngress", source, site);
  input.egress = to_rules(properties, "SecurityGroupEgress", destination, site);
  input.tags = to_tags(properties, site);
  const auto note = [&](const Status& valid, std::string_view name) {
    const Value* value = members.find(name);
    if (valid || value == nullptr || value->is_unknown()) return;
    site.diagnostics.add(value->mark, fmt::format("{}.{}", site.path, name), valid.error().message);
  };
  note(model::validate_security_group_name(input.name), "GroupName");
  note(model::validate_security_group_description(input.description), "GroupDescription");
  return input;
}

SecurityGroupRuleInputs to_security_group_rule(const Value& properties, bool is_ingress,
                                               const Site& site) {
  const Members members(properties);
  SecurityGroupRuleInputs inputs;
  inputs.is_ingress = is_ingress;
  inputs.group_id = members.text("GroupId");
  inputs.group_name = members.text("GroupName");
  inputs.source_group_name = members.text("SourceSecurityGroupName");
  inputs.rule = to_rule_value(properties, is_ingress ? source : destination, site);
  if (inputs.group_id.empty() && inputs.group_name.empty()) {
    site.diagnostics.add(properties.mark, site.path, "GroupId or GroupName is required");
  }
  return inputs;
}

InstanceInputs to_instance(const Value& properties, const Site& site) {
  const Members members(properties);
  InstanceInputs inputs;
  inputs.run.image_id = members.text("ImageId");
  inputs.run.type = members.text("InstanceType");
  inputs.run.key_name = members.text("KeyName");
  inputs.run.subnet_id = members.text("SubnetId");
  inputs.run.security_group_ids = members.texts("SecurityGroupIds");
  inputs.run.user_data = model::base64_decode(members.text("UserData")).value_or("");
  inputs.run.tags = to_tags(properties, site);
  inputs.zone = members.text("AvailabilityZone");
  inputs.security_group_names = members.texts("SecurityGroups");
  if (members.has("SecurityGroupIds") && members.has("SecurityGroups")) {
    site.diagnostics.add(properties.mark, site.path,
                         "give SecurityGroupIds or SecurityGroups, not both");
  }
  return inputs;
}

}  // namespace weir::stacks
