// AWS::EC2: security groups and instances.
#include <fmt/format.h>

#include <array>
#include <vector>

#include "model/base64.hpp"
#include "model/instance_types.hpp"
#include "model/limits.hpp"
#include "model/validate.hpp"
#include "stacks/schema.hpp"

namespace weir::stacks {

namespace {

using enum Shape;

std::string check_instance_type(std::string_view text) {
  if (model::find_instance_type(text) != nullptr) return {};
  std::vector<std::string_view> known;
  for (const model::InstanceType& type : model::instance_types()) known.push_back(type.name);
  std::string hint = suggestion(text, known);
  if (hint.empty()) hint = "; known are " + join_words(known);
  return fmt::format("unknown instance type '{}'{}", text, hint);
}

std::string check_user_data(std::string_view text) {
  const std::optional<std::string> raw = model::base64_decode(text);
  if (!raw) return "the user data must be Base64; write Fn::Base64 before it";
  if (raw->size() > model::limits::user_data_bytes_max) {
    return fmt::format("{} bytes of user data; EC2 takes {}", raw->size(),
                       model::limits::user_data_bytes_max);
  }
  return {};
}

std::string check_image_id(std::string_view text) {
  if (model::is_ec2_id(text, "ami-")) return {};
  return fmt::format("'{}' is no image id (ami- and 8 or 17 hexadecimal digits)", text);
}

constexpr std::array<Property, 2> tag_fields{{
    {.name = "Key", .is_required = true},
    {.name = "Value", .is_required = true},
}};

constexpr Property tags{.name = "Tags", .shape = structure_list, .fields = tag_fields};

constexpr std::string_view no_prefix_lists = "Weir has no prefix lists; name a CIDR";
constexpr std::string_view protocols =
    "there are tcp, udp, icmp, icmpv6 and -1 for all; 6, 17, 1 and 58 are their numbers";

constexpr Property ip_protocol{.name = "IpProtocol",
                               .is_required = true,
                               .is_create_only = true,
                               .allowed = "tcp|udp|icmp|icmpv6|-1|6|17|1|58|TCP|UDP|ICMP",
                               .note = protocols};
constexpr Property from_port{
    .name = "FromPort", .shape = integer, .is_create_only = true, .min = -1, .max = 65535};
constexpr Property to_port{
    .name = "ToPort", .shape = integer, .is_create_only = true, .min = -1, .max = 65535};
constexpr Property cidr_ip{.name = "CidrIp", .is_create_only = true};
constexpr Property cidr_ip_v6{.name = "CidrIpv6", .is_create_only = true};
constexpr Property description{.name = "Description"};
constexpr Property source_group_id{.name = "SourceSecurityGroupId", .is_create_only = true};
constexpr Property source_group_name{.name = "SourceSecurityGroupName", .is_create_only = true};
constexpr Property source_owner{.name = "SourceSecurityGroupOwnerId",
                                .is_create_only = true,
                                .support = Support::no_effect,
                                .note = "there is one account"};
constexpr Property source_prefix_list{
    .name = "SourcePrefixListId", .support = Support::refused, .note = no_prefix_lists};
constexpr Property destination_group_id{.name = "DestinationSecurityGroupId",
                                        .is_create_only = true};
constexpr Property destination_prefix_list{
    .name = "DestinationPrefixListId", .support = Support::refused, .note = no_prefix_lists};

constexpr std::array<Property, 10> ingress_fields{
    ip_protocol, from_port,       to_port,           cidr_ip,      cidr_ip_v6,
    description, source_group_id, source_group_name, source_owner, source_prefix_list};
constexpr std::array<Property, 8> egress_fields{ip_protocol,
                                                from_port,
                                                to_port,
                                                cidr_ip,
                                                cidr_ip_v6,
                                                description,
                                                destination_group_id,
                                                destination_prefix_list};

constexpr std::array<Property, 6> security_group_properties{{
    {.name = "GroupDescription", .is_required = true, .is_create_only = true},
    {.name = "GroupName", .is_create_only = true},
    {.name = "SecurityGroupEgress", .shape = structure_list, .fields = egress_fields},
    {.name = "SecurityGroupIngress", .shape = structure_list, .fields = ingress_fields},
    tags,
    {.name = "VpcId", .is_create_only = true},
}};

constexpr std::array<Property, 12> ingress_properties{{
    {.name = "GroupId", .is_create_only = true},
    {.name = "GroupName", .is_create_only = true},
    ip_protocol,
    from_port,
    to_port,
    cidr_ip,
    cidr_ip_v6,
    description,
    source_group_id,
    source_group_name,
    source_owner,
    source_prefix_list,
}};

constexpr std::array<Property, 9> egress_properties{{
    {.name = "GroupId", .is_required = true, .is_create_only = true},
    ip_protocol,
    from_port,
    to_port,
    cidr_ip,
    cidr_ip_v6,
    description,
    destination_group_id,
    destination_prefix_list,
}};

constexpr std::array<Property, 5> metadata_options_fields{{
    {.name = "HttpEndpoint",
     .allowed = "enabled",
     .note = "Weir's metadata service is always there"},
    {.name = "HttpPutResponseHopLimit",
     .shape = integer,
     .min = 1,
     .max = 64,
     .support = Support::no_effect,
     .note = "the metadata service is one hop away"},
    {.name = "HttpTokens",
     .allowed = "optional|required",
     .support = Support::no_effect,
     .note = "the metadata service answers IMDSv2, and IMDSv1 as well"},
    {.name = "HttpProtocolIpv6", .allowed = "disabled", .note = "the VPC is IPv4"},
    {.name = "InstanceMetadataTags",
     .allowed = "enabled|disabled",
     .support = Support::no_effect,
     .note = "the metadata service decides for all instances alike"},
}};

constexpr std::array<Property, 1> credit_fields{{{.name = "CPUCredits"}}};

constexpr std::string_view no_volumes = "an instance's file system lies on this machine";
constexpr std::string_view no_interfaces =
    "an instance has one interface; use SubnetId and SecurityGroupIds";
constexpr std::string_view no_hardware = "Weir knows no such hardware";

constexpr std::array<Property, 41> instance_properties{{
    {.name = "AdditionalInfo", .support = Support::refused, .note = "reserved by AWS"},
    {.name = "Affinity", .support = Support::refused, .note = "Weir has no dedicated hosts"},
    {.name = "AvailabilityZone", .is_create_only = true},
    {.name = "BlockDeviceMappings",
     .shape = anything,
     .support = Support::no_effect,
     .note = no_volumes},
    {.name = "CpuOptions", .support = Support::refused, .note = no_hardware},
    {.name = "CreditSpecification",
     .shape = structure,
     .fields = credit_fields,
     .support = Support::no_effect,
     .note = "burstable types have no credit account"},
    {.name = "DisableApiTermination",
     .shape = boolean,
     .support = Support::refused,
     .note = "in templates it has no counterpart yet; use DeletionPolicy: Retain"},
    {.name = "EbsOptimized",
     .shape = boolean,
     .support = Support::no_effect,
     .note = "the instance type decides the disk's bandwidth"},
    {.name = "ElasticGpuSpecifications", .support = Support::refused, .note = no_hardware},
    {.name = "ElasticInferenceAccelerators", .support = Support::refused, .note = no_hardware},
    {.name = "EnclaveOptions", .support = Support::refused, .note = no_hardware},
    {.name = "HibernationOptions",
     .support = Support::refused,
     .note = "Weir's instances cannot hibernate"},
    {.name = "HostId", .support = Support::refused, .note = "Weir has no dedicated hosts"},
    {.name = "HostResourceGroupArn",
     .support = Support::refused,
     .note = "Weir has no dedicated hosts"},
    {.name = "IamInstanceProfile",
     .support = Support::no_effect,
     .note = "instances get no AWS credentials from Weir"},
    {.name = "ImageId", .is_required = true, .is_create_only = true, .check = check_image_id},
    {.name = "InstanceInitiatedShutdownBehavior",
     .allowed = "stop",
     .support = Support::no_effect,
     .note = "an instance that shuts itself down is stopped"},
    {.name = "InstanceType",
     .is_required = true,
     .is_create_only = true,
     .check = check_instance_type},
    {.name = "Ipv6AddressCount", .support = Support::refused, .note = "the VPC is IPv4"},
    {.name = "Ipv6Addresses", .support = Support::refused, .note = "the VPC is IPv4"},
    {.name = "KernelId", .support = Support::refused, .note = "instances share this kernel"},
    {.name = "KeyName", .is_create_only = true},
    {.name = "LaunchTemplate",
     .support = Support::refused,
     .note = "Weir has no launch templates; write the properties here"},
    {.name = "LicenseSpecifications", .support = Support::refused, .note = "Weir has no licenses"},
    {.name = "MetadataOptions", .shape = structure, .fields = metadata_options_fields},
    {.name = "Monitoring",
     .shape = boolean,
     .support = Support::no_effect,
     .note = "instances are always watched alike"},
    {.name = "NetworkInterfaces", .support = Support::refused, .note = no_interfaces},
    {.name = "PlacementGroupName", .support = Support::refused, .note = "there is one machine"},
    {.name = "PrivateDnsNameOptions",
     .support = Support::refused,
     .note = "the name is made from the address"},
    {.name = "PrivateIpAddress",
     .support = Support::refused,
     .note = "Weir chooses addresses; use Fn::GetAtt PrivateIp"},
    {.name = "PropagateTagsToVolumeOnCreation",
     .shape = boolean,
     .support = Support::no_effect,
     .note = no_volumes},
    {.name = "RamdiskId", .support = Support::refused, .note = "instances share this kernel"},
    {.name = "SecurityGroupIds", .shape = string_list, .is_create_only = true},
    {.name = "SecurityGroups", .shape = string_list, .is_create_only = true},
    {.name = "SourceDestCheck",
     .shape = boolean,
     .support = Support::no_effect,
     .note = "instances do not route"},
    {.name = "SsmAssociations", .support = Support::refused, .note = "Weir has no SSM"},
    {.name = "SubnetId", .is_create_only = true},
    tags,
    {.name = "Tenancy",
     .allowed = "default",
     .support = Support::no_effect,
     .note = "Weir has no dedicated hosts"},
    {.name = "UserData", .is_create_only = true, .check = check_user_data},
    {.name = "Volumes", .support = Support::refused, .note = "Weir has no volumes"},
}};

constexpr std::array<Attribute, 3> security_group_attributes{
    {{.name = "GroupId"}, {.name = "Id"}, {.name = "VpcId"}}};
constexpr std::array<Attribute, 1> rule_attributes{{{.name = "Id"}}};
constexpr std::array<Attribute, 9> instance_attributes{{
    {.name = "AvailabilityZone"},
    {.name = "InstanceId"},
    {.name = "PrivateDnsName"},
    {.name = "PrivateIp"},
    {.name = "PublicDnsName"},
    {.name = "PublicIp"},
    {.name = "State.Code"},
    {.name = "State.Name"},
    {.name = "VpcId"},
}};

constexpr std::array<ResourceType, 4> types{{
    {.name = "AWS::EC2::Instance",
     .properties = instance_properties,
     .attributes = instance_attributes},
    {.name = "AWS::EC2::SecurityGroup",
     .properties = security_group_properties,
     .attributes = security_group_attributes},
    {.name = "AWS::EC2::SecurityGroupEgress",
     .properties = egress_properties,
     .attributes = rule_attributes},
    {.name = "AWS::EC2::SecurityGroupIngress",
     .properties = ingress_properties,
     .attributes = rule_attributes},
}};

}  // namespace

std::span<const ResourceType> ec2_types() { return types; }

}  // namespace weir::stacks
