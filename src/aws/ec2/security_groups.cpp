// Security groups: reference §9.4. Their rules one by one: security_group_rules.cpp.
#include "aws/ec2/security_group_shapes.hpp"
#include "control/addresses.hpp"

namespace weir::aws::ec2 {
namespace {

using control::State;
using model::SecurityGroup;

// A value of every rule that has it.
template <typename Get>
Texts each_rule(const Rules& rules, Get get) {
  Texts out;
  for (const model::SecurityGroupRule& rule : rules) {
    if (std::string text = get(rule); !text.empty()) out.push_back(std::move(text));
  }
  return out;
}

template <Rules SecurityGroup::*direction, std::string model::SecurityGroupRule::*member>
Texts of_rules(const State&, const SecurityGroup& group) {
  return each_rule(group.*direction,
                   [](const model::SecurityGroupRule& rule) { return rule.*member; });
}

template <Rules SecurityGroup::*direction, int model::SecurityGroupRule::*member>
Texts port_of_rules(const State&, const SecurityGroup& group) {
  return each_rule(group.*direction, [](const model::SecurityGroupRule& rule) {
    return rule.protocol == "-1" ? std::string() : std::to_string(rule.*member);
  });
}

using Rule = model::SecurityGroupRule;
constexpr auto in = &SecurityGroup::ingress;
constexpr auto out_ = &SecurityGroup::egress;

constexpr auto fields = std::to_array<Field<SecurityGroup>>({
    {"group-id", [](const State&, const SecurityGroup& group) { return Texts{group.id}; }},
    {"group-name", [](const State&, const SecurityGroup& group) { return Texts{group.name}; }},
    {"vpc-id", [](const State&, const SecurityGroup& group) { return Texts{group.vpc_id}; }},
    {"description",
     [](const State&, const SecurityGroup& group) { return Texts{group.description}; }},
    {"ip-permission.cidr", of_rules<in, &Rule::cidr>},
    {"ip-permission.ipv6-cidr", of_rules<in, &Rule::cidr_v6>},
    {"ip-permission.group-id", of_rules<in, &Rule::group_id>},
    {"ip-permission.protocol", of_rules<in, &Rule::protocol>},
    {"ip-permission.from-port", port_of_rules<in, &Rule::from_port>},
    {"ip-permission.to-port", port_of_rules<in, &Rule::to_port>},
    {"egress.ip-permission.cidr", of_rules<out_, &Rule::cidr>},
    {"egress.ip-permission.ipv6-cidr", of_rules<out_, &Rule::cidr_v6>},
    {"egress.ip-permission.group-id", of_rules<out_, &Rule::group_id>},
    {"egress.ip-permission.protocol", of_rules<out_, &Rule::protocol>},
    {"egress.ip-permission.from-port", port_of_rules<out_, &Rule::from_port>},
    {"egress.ip-permission.to-port", port_of_rules<out_, &Rule::to_port>},
});

std::string arn_of(const Site& site, const std::string& id) {
  return fmt::format("arn:aws:ec2:{}:{}:security-group/{}", site.region, site.account, id);
}

Value write(const Site& site, const SecurityGroup& group) {
  Value out{{"GroupId", group.id},
            {"GroupName", group.name},
            {"Description", group.description},
            {"VpcId", group.vpc_id},
            {"OwnerId", site.account},
            {"SecurityGroupArn", arn_of(site, group.id)}};
  out.set("IpPermissions", permissions_of(site, group.ingress));
  out.set("IpPermissionsEgress", permissions_of(site, group.egress));
  out.set("Tags", tag_list(group.tags));
  return out;
}

constexpr Listing<SecurityGroup> listing{
    "SecurityGroups",        "GroupIds",       "sg-",  "InvalidGroupId.Malformed",
    "InvalidGroup.NotFound", "security group", fields, write};

// "GroupNames" asks for groups of the default VPC.
Result<Value> describe(const Site& site, const Value& input) {
  Texts ids = input.texts("GroupIds");
  if (!input.list("GroupNames").empty()) {
    for (const std::string& name : input.texts("GroupNames")) {
      auto id = group_id_of(site.state, Value{{"GroupName", name}});
      if (!id) return std::unexpected(id.error());
      ids.push_back(std::move(*id));
    }
  }
  Value by_ids = input;
  if (!ids.empty()) by_ids.set("GroupIds", Value::list_of(ids));
  return list_records(site, site.state.security_groups, by_ids, listing);
}

}  // namespace

void add_security_groups(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeSecurityGroups"] = reading(parts, describe);
}

}  // namespace weir::aws::ec2
