// Rules of security groups: opened, closed, described, changed, and listed by their ids.
#include "aws/ec2/security_group_shapes.hpp"
#include "control/addresses.hpp"
#include "model/validate.hpp"

namespace weir::aws::ec2 {
namespace {

using control::Direction;
using control::State;
using model::SecurityGroup;
using model::SecurityGroupRule;

// A rule with its group, as the calls about rules list it.
struct ListedRule {
  SecurityGroupRule rule;
  std::string group_id;
  bool is_egress;
  model::Tags tags;
};

constexpr auto fields = std::to_array<Field<ListedRule>>({
    {"group-id", [](const State&, const ListedRule& listed) { return Texts{listed.group_id}; }},
    {"security-group-rule-id",
     [](const State&, const ListedRule& listed) { return Texts{listed.rule.id}; }},
});

Value write(const Site& site, const ListedRule& listed) {
  const SecurityGroupRule& rule = listed.rule;
  const bool is_all = rule.protocol == "-1";
  Value out{{"SecurityGroupRuleId", rule.id},      {"GroupId", listed.group_id},
            {"GroupOwnerId", site.account},        {"IsEgress", listed.is_egress},
            {"IpProtocol", rule.protocol},         {"FromPort", is_all ? -1 : rule.from_port},
            {"ToPort", is_all ? -1 : rule.to_port}};
  out.set_text("CidrIpv4", rule.cidr);
  out.set_text("CidrIpv6", rule.cidr_v6);
  out.set_text("Description", rule.description);
  if (!rule.group_id.empty()) {
    out.set("ReferencedGroupInfo", Value{{"GroupId", rule.group_id}, {"UserId", site.account}});
  }
  out.set("Tags", tag_list(listed.tags));
  return out;
}

Value write_revoked(const SecurityGroupRule& rule, const std::string& group_id, bool is_egress) {
  Value out{{"SecurityGroupRuleId", rule.id},
            {"GroupId", group_id},
            {"IsEgress", is_egress},
            {"IpProtocol", rule.protocol},
            {"FromPort", rule.protocol == "-1" ? -1 : rule.from_port},
            {"ToPort", rule.protocol == "-1" ? -1 : rule.to_port}};
  out.set_text("CidrIpv4", rule.cidr);
  out.set_text("CidrIpv6", rule.cidr_v6);
  out.set_text("ReferencedGroupId", rule.group_id);
  out.set_text("Description", rule.description);
  return out;
}

std::map<std::string, ListedRule> rules_by_id(const State& state) {
  std::map<std::string, ListedRule> rules;
  for (const auto& [id, group] : state.security_groups) {
    for (const SecurityGroupRule& rule : group.ingress) {
      rules.emplace(rule.id, ListedRule{rule, id, false, rule.tags});
    }
    for (const SecurityGroupRule& rule : group.egress) {
      rules.emplace(rule.id, ListedRule{rule, id, true, rule.tags});
    }
  }
  return rules;
}

Result<Value> describe(const Site& site, const Value& input) {
  constexpr Listing<ListedRule> listing{"SecurityGroupRules",
                                        "SecurityGroupRuleIds",
                                        "sgr-",
                                        "InvalidSecurityGroupRuleId.Malformed",
                                        "InvalidSecurityGroupRuleId.NotFound",
                                        "security group rule ID",
                                        fields,
                                        write};
  return list_records(site, rules_by_id(site.state), input, listing);
}

// The group that a call is about, and the rules that its input says.
struct Asked {
  std::string group_id;
  Rules rules;
};
Result<Asked> asked_of(const Ec2Parts& parts, const Value& input) {
  Result<Asked> asked;
  parts.registry.read([&](const State& state) {
    auto id = group_id_of(state, input);
    auto rules = rules_of(state, input);
    if (!id) {
      asked = std::unexpected(id.error());
    } else if (!rules) {
      asked = std::unexpected(rules.error());
    } else {
      asked = Asked{std::move(*id), std::move(*rules)};
    }
  });
  if (!asked) return asked;
  for (const std::string& id : input.texts("SecurityGroupRuleIds")) {
    if (!model::is_ec2_id(id, "sgr-")) {
      return fail("InvalidSecurityGroupRuleId.Malformed",
                  fmt::format("Invalid id: \"{}\" (expecting \"sgr-...\")", id.substr(0, 100)));
    }
    asked->rules.emplace_back();
    asked->rules.back().id = id;
  }
  return asked;
}

Result<Asked> asked_for_some(const Ec2Parts& parts, const Value& input) {
  auto asked = asked_of(parts, input);
  if (asked && asked->rules.empty()) {
    return fail("MissingParameter",
                "The request must contain the parameter IpPermissions or SecurityGroupRuleIds");
  }
  return asked;
}

template <Direction direction>
Result<Value> authorize(const Ec2Parts& parts, const Value& input) {
  auto asked = asked_for_some(parts, input);
  if (!asked) return std::unexpected(asked.error());
  const auto tags = specified_tags(input, "security-group-rule");
  if (!tags) return std::unexpected(tags.error());
  for (SecurityGroupRule& rule : asked->rules) rule.tags = *tags;
  const auto added = parts.ec2.authorize(asked->group_id, direction, asked->rules);
  if (!added) return std::unexpected(added.error());
  Value::List items;
  parts.registry.read([&](const State& state) {
    const Site site{state, parts.registry.region(), parts.registry.account()};
    for (const SecurityGroupRule& rule : *added) {
      items.push_back(
          write(site, {rule, asked->group_id, direction == Direction::egress, rule.tags}));
    }
  });
  Value out = done();
  out.set("SecurityGroupRules", Value(std::move(items)));
  return out;
}

template <Direction direction>
Result<Value> revoke(const Ec2Parts& parts, const Value& input) {
  const auto asked = asked_for_some(parts, input);
  if (!asked) return std::unexpected(asked.error());
  const auto removed = parts.ec2.revoke(asked->group_id, direction, asked->rules);
  if (!removed) return std::unexpected(removed.error());
  Value::List items;
  for (const SecurityGroupRule& rule : *removed) {
    items.push_back(write_revoked(rule, asked->group_id, direction == Direction::egress));
  }
  Value out = done();
  out.set("RevokedSecurityGroupRules", Value(std::move(items)));
  return out;
}

template <Direction direction>
Result<Value> describe_rules(const Ec2Parts& parts, const Value& input) {
  auto asked = asked_of(parts, input);
  if (!asked) return std::unexpected(asked.error());
  for (const Value& each : input.list("SecurityGroupRuleDescriptions")) {
    SecurityGroupRule rule;
    rule.id = each.text("SecurityGroupRuleId");
    rule.description = each.text("Description");
    if (rule.id.empty()) {
      return fail("MissingParameter", "The request must contain the parameter SecurityGroupRuleId");
    }
    asked->rules.push_back(std::move(rule));
  }
  auto described = parts.ec2.describe_rules(asked->group_id, direction, asked->rules);
  if (!described) return std::unexpected(described.error());
  return done();
}

Result<Value> modify(const Ec2Parts& parts, const Value& input) {
  Rules rules;
  for (const Value& each : input.list("SecurityGroupRules")) {
    const Value* wanted = each.find("SecurityGroupRule");
    if (wanted == nullptr) {
      return fail("MissingParameter", "The request must contain the parameter SecurityGroupRule");
    }
    if (wanted->has("PrefixListId")) {
      return fail("InvalidParameterValue", "Weir has no prefix lists; name the ranges themselves");
    }
    SecurityGroupRule rule;
    rule.id = each.text("SecurityGroupRuleId");
    rule.protocol = wanted->text("IpProtocol");
    rule.from_port = static_cast<int>(wanted->integer("FromPort").value_or(-1));
    rule.to_port = static_cast<int>(wanted->integer("ToPort").value_or(-1));
    rule.cidr = wanted->text("CidrIpv4");
    rule.cidr_v6 = wanted->text("CidrIpv6");
    rule.group_id = wanted->text("ReferencedGroupId");
    rule.description = wanted->text("Description");
    rules.push_back(std::move(rule));
  }
  auto modified = parts.ec2.modify_rules(input.text("GroupId"), rules);
  if (!modified) return std::unexpected(modified.error());
  return done();
}

}  // namespace

void add_security_group_rules(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeSecurityGroupRules"] = reading(parts, describe);
  handlers["AuthorizeSecurityGroupIngress"] = changing(parts, authorize<Direction::ingress>);
  handlers["AuthorizeSecurityGroupEgress"] = changing(parts, authorize<Direction::egress>);
  handlers["RevokeSecurityGroupIngress"] = changing(parts, revoke<Direction::ingress>);
  handlers["RevokeSecurityGroupEgress"] = changing(parts, revoke<Direction::egress>);
  handlers["UpdateSecurityGroupRuleDescriptionsIngress"] =
      changing(parts, describe_rules<Direction::ingress>);
  handlers["UpdateSecurityGroupRuleDescriptionsEgress"] =
      changing(parts, describe_rules<Direction::egress>);
  handlers["ModifySecurityGroupRules"] = changing(parts, modify);
}

}  // namespace weir::aws::ec2
