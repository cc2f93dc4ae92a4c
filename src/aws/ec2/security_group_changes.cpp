// Security groups are made and deleted. Their rules: security_group_rules.cpp.
#include "aws/ec2/security_group_shapes.hpp"
#include "control/ec2.hpp"

namespace weir::aws::ec2 {
namespace {

std::string arn_of(const Ec2Parts& parts, const std::string& id) {
  return fmt::format("arn:aws:ec2:{}:{}:security-group/{}", parts.registry.region(),
                     parts.registry.account(), id);
}

Result<Value> create(const Ec2Parts& parts, const Value& input) {
  auto tags = specified_tags(input, "security-group");
  if (!tags) return std::unexpected(tags.error());
  control::CreateSecurityGroupInput wanted;
  wanted.name = input.text("GroupName");
  wanted.description = input.text("Description");
  wanted.vpc_id = input.text("VpcId");
  wanted.tags = std::move(*tags);
  const auto group = parts.ec2.create_security_group(wanted);
  if (!group) return std::unexpected(group.error());
  Value out{{"GroupId", group->id}, {"SecurityGroupArn", arn_of(parts, group->id)}};
  out.set("Tags", tag_list(group->tags));
  return out;
}

Result<std::string> group_of(const Ec2Parts& parts, const Value& input) {
  Result<std::string> id;
  parts.registry.read([&](const control::State& state) { id = group_id_of(state, input); });
  return id;
}

Result<Value> remove(const Ec2Parts& parts, const Value& input) {
  const auto id = group_of(parts, input);
  if (!id) return std::unexpected(id.error());
  if (auto deleted = parts.ec2.delete_security_group(*id); !deleted) {
    return std::unexpected(deleted.error());
  }
  return Value{{"Return", true}, {"GroupId", *id}};
}

}  // namespace

void add_security_group_changes(Handlers& handlers, const Ec2Parts& parts) {
  handlers["CreateSecurityGroup"] = changing(parts, create);
  handlers["DeleteSecurityGroup"] = changing(parts, remove);
}

}  // namespace weir::aws::ec2
