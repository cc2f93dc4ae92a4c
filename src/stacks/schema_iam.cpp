// AWS::IAM, as far as templates made for instances have it (every EC2 instance of the CDK has a
// role): notes of the stack that do nothing here.
#include <array>

#include "stacks/schema.hpp"

namespace weir::stacks {

namespace {

using enum Shape;

constexpr std::string_view no_credentials = "instances get no AWS credentials from Weir";

constexpr Property note(std::string_view name) {
  return {.name = name, .shape = anything, .support = Support::no_effect, .note = no_credentials};
}

constexpr std::array<Property, 9> role_properties{{
    note("AssumeRolePolicyDocument"),
    note("Description"),
    note("ManagedPolicyArns"),
    note("MaxSessionDuration"),
    note("Path"),
    note("PermissionsBoundary"),
    note("Policies"),
    note("RoleName"),
    note("Tags"),
}};

constexpr std::array<Property, 3> profile_properties{{
    note("InstanceProfileName"),
    note("Path"),
    note("Roles"),
}};

constexpr std::array<Attribute, 2> role_attributes{{{.name = "Arn"}, {.name = "RoleId"}}};
constexpr std::array<Attribute, 1> profile_attributes{{{.name = "Arn"}}};

constexpr std::array<ResourceType, 2> types{{
    {.name = "AWS::IAM::InstanceProfile",
     .properties = profile_properties,
     .attributes = profile_attributes},
    {.name = "AWS::IAM::Role", .properties = role_properties, .attributes = role_attributes},
}};

}  // namespace

std::span<const ResourceType> iam_types() { return types; }

}  // namespace weir::stacks
