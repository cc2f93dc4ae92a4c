#include "aws/ec2/security_group_shapes.hpp"

#include "control/addresses.hpp"
#include "model/validate.hpp"

namespace weir::aws::ec2 {
namespace {

using model::SecurityGroupRule;

bool has_ports(const SecurityGroupRule& rule) { return rule.protocol != "-1"; }

bool is_same_range(const SecurityGroupRule& a, const SecurityGroupRule& b) {
  return a.protocol == b.protocol && a.from_port == b.from_port && a.to_port == b.to_port;
}

// The peers of one permission, as its lists.
struct Peers {
  Value::List ranges, ranges_v6, groups;

  void add(const Site& site, const SecurityGroupRule& rule) {
    Value peer;
    if (!rule.cidr.empty()) peer.set("CidrIp", rule.cidr);
    if (!rule.cidr_v6.empty()) peer.set("CidrIpv6", rule.cidr_v6);
    if (!rule.group_id.empty()) peer.set("GroupId", rule.group_id).set("UserId", site.account);
    peer.set_text("Description", rule.description);
    auto& list = !rule.cidr.empty() ? ranges : !rule.cidr_v6.empty() ? ranges_v6 : groups;
    list.push_back(std::move(peer));
  }
};

// What the permissions and the older members have in common.
SecurityGroupRule range_of(const Value& permission) {
  SecurityGroupRule rule;
  rule.protocol = permission.text("IpProtocol");
  rule.from_port = static_cast<int>(permission.integer("FromPort").value_or(-1));
  rule.to_port = static_cast<int>(permission.integer("ToPort").value_or(-1));
  return rule;
}

Result<std::string> id_of_name(const control::State& state, const std::string& name) {
  const model::Vpc* vpc = control::default_vpc(state);
  for (const auto& [id, group] : state.security_groups) {
    if (vpc != nullptr && group.vpc_id == vpc->id && group.name == name) return id;
  }
  return fail("InvalidGroup.NotFound",
              fmt::format("The security group '{}' does not exist in "
                          "default VPC '{}'",
                          name.substr(0, 255), vpc == nullptr ? "" : vpc->id));
}

Status add_permission(const control::State& state, const Value& permission, Rules& rules) {
  const SecurityGroupRule range = range_of(permission);
  if (!permission.list("PrefixListIds").empty()) {
    return fail("InvalidParameterValue",
                "Weir has no prefix lists; name the ranges themselves in IpRanges");
  }
  const std::size_t before = rules.size();
  for (const Value& peer : permission.list("IpRanges")) {
    rules.push_back(range);
    rules.back().cidr = peer.text("CidrIp");
    rules.back().description = peer.text("Description");
  }
  for (const Value& peer : permission.list("Ipv6Ranges")) {
    rules.push_back(range);
    rules.back().cidr_v6 = peer.text("CidrIpv6");
    rules.back().description = peer.text("Description");
  }
  for (const Value& peer : permission.list("UserIdGroupPairs")) {
    auto id = group_id_of(state, peer);
    if (!id) return std::unexpected(id.error());
    rules.push_back(range);
    rules.back().group_id = std::move(*id);
    rules.back().description = peer.text("Description");
  }
  if (rules.size() != before) return {};
  return fail("InvalidParameterValue",
              "A permission must name a peer: IpRanges, Ipv6Ranges or UserIdGroupPairs");
}

}  // namespace

Value permissions_of(const Site& site, const Rules& rules) {
  Value::List permissions;
  std::vector<bool> is_written(rules.size());
  for (std::size_t first = 0; first < rules.size(); ++first) {
    if (is_written[first]) continue;
    Peers peers;
    for (std::size_t at = first; at < rules.size(); ++at) {
      if (is_written[at] || !is_same_range(rules[at], rules[first])) continue;
      peers.add(site, rules[at]);
      is_written[at] = true;
    }
    Value permission{{"IpProtocol", rules[first].protocol}};
    if (has_ports(rules[first])) {
      permission.set("FromPort", rules[first].from_port).set("ToPort", rules[first].to_port);
    }
    permission.set("IpRanges", std::move(peers.ranges));
    permission.set("Ipv6Ranges", std::move(peers.ranges_v6));
    permission.set("UserIdGroupPairs", std::move(peers.groups));
    permission.set("PrefixListIds", Value(Value::List()));
    permissions.push_back(std::move(permission));
  }
  return Value(std::move(permissions));
}

Result<Rules> rules_of(const control::State& state, const Value& input) {
  Rules rules;
  for (const Value& permission : input.list("IpPermissions")) {
    if (auto added = add_permission(state, permission, rules); !added) {
      return std::unexpected(added.error());
    }
  }
  if (const std::string group = input.text("SourceSecurityGroupName"); !group.empty()) {
    auto id = id_of_name(state, group);
    if (!id) return std::unexpected(id.error());
    SecurityGroupRule rule = range_of(input);
    if (rule.protocol.empty()) rule.protocol = "-1";
    rule.group_id = std::move(*id);
    rules.push_back(std::move(rule));
  } else if (input.has("IpProtocol") || input.has("CidrIp")) {
    SecurityGroupRule rule = range_of(input);
    rule.cidr = input.text("CidrIp");
    rules.push_back(std::move(rule));
  }
  return rules;
}

Result<std::string> group_id_of(const control::State& state, const Value& input) {
  const std::string id = input.text("GroupId");
  if (id.empty()) {
    const std::string name = input.text("GroupName");
    if (name.empty()) {
      return fail("MissingParameter",
                  "The request must contain the parameter GroupName or GroupId");
    }
    return id_of_name(state, name);
  }
  if (!model::is_ec2_id(id, "sg-")) {
    return fail("InvalidGroupId.Malformed",
                fmt::format("Invalid id: \"{}\" (expecting \"sg-...\")", id.substr(0, 100)));
  }
  if (!state.security_groups.contains(id)) {
    return fail("InvalidGroup.NotFound", fmt::format("The security group '{}' does not exist", id));
  }
  return id;
}

}  // namespace weir::aws::ec2
