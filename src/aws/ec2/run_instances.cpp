// RunInstances: reference §9.2. What Weir has no counterpart for is refused, never dropped.
#include "aws/ec2/instance_shapes.hpp"
#include "aws/sigv4/digest.hpp"
#include "control/addresses.hpp"
#include "control/ec2.hpp"
#include "model/base64.hpp"

namespace weir::aws::ec2 {
namespace {

std::unexpected<Error> not_supported(std::string_view member) {
  return fail("UnsupportedOperation", fmt::format("Weir does not support '{}'", member));
}

constexpr auto unsupported = std::to_array<std::string_view>(
    {"LaunchTemplate", "InstanceMarketOptions", "Ipv6AddressCount", "Ipv6Addresses", "KernelId",
     "RamdiskId", "ElasticGpuSpecification", "ElasticInferenceAccelerators",
     "LicenseSpecifications", "EnablePrimaryIpv6", "SecondaryInterfaces", "IamInstanceProfile",
     "CpuOptions"});

bool is_enabled(const Value& input, std::string_view member, std::string_view flag) {
  const Value* options = input.find(member);
  return options != nullptr && options->flag(flag).value_or(false);
}

Status check_supported(const Value& input) {
  for (const std::string_view member : unsupported) {
    if (input.has(member)) return not_supported(member);
  }
  if (is_enabled(input, "HibernationOptions", "Configured")) {
    return not_supported("HibernationOptions.Configured");
  }
  if (is_enabled(input, "EnclaveOptions", "Enabled"))
    return not_supported("EnclaveOptions.Enabled");
  if (const Value* placement = input.find("Placement")) {
    if (placement->text("Tenancy", "default") != "default") return not_supported("Tenancy");
    for (const char* member : {"HostId", "HostResourceGroupArn", "GroupId", "PartitionNumber"}) {
      if (placement->has(member)) return not_supported(member);
    }
    if (!placement->text("GroupName").empty()) return not_supported("Placement.GroupName");
  }
  // The root device is the instance's own file system; others there are none.
  for (const Value& mapping : input.list("BlockDeviceMappings")) {
    if (mapping.text("DeviceName") != root_device) {
      return not_supported("a BlockDeviceMapping but that of the root device");
    }
  }
  if (const Value* options = input.find("MetadataOptions")) {
    if (options->text("HttpEndpoint", "enabled") != "enabled") {
      return not_supported("MetadataOptions.HttpEndpoint=disabled");
    }
  }
  return {};
}

// The zone's default subnet.
Result<std::string> subnet_in(const control::State& state, const Value& placement) {
  const std::string zone = placement.text("AvailabilityZone");
  const std::string zone_id = placement.text("AvailabilityZoneId");
  if (zone.empty() && zone_id.empty()) return std::string();
  for (const auto& [id, subnet] : state.subnets) {
    if (!subnet.is_default_for_zone) continue;
    if (zone.empty() ? subnet.zone_id == zone_id : subnet.zone == zone) return id;
  }
  return fail("InvalidParameterValue", fmt::format("Invalid availability zone: [{}]",
                                                   (zone.empty() ? zone_id : zone).substr(0, 100)));
}

Result<std::string> subnet_of(const control::State& state, const Value& input) {
  const std::string subnet_id = input.text("SubnetId");
  const Value* placement = input.find("Placement");
  if (placement == nullptr) return subnet_id;
  auto in_zone = subnet_in(state, *placement);
  if (!in_zone || subnet_id.empty() || in_zone->empty()) {
    return in_zone && !subnet_id.empty() ? subnet_id : in_zone;
  }
  const auto subnet = state.subnets.find(subnet_id);
  if (subnet != state.subnets.end() && subnet->second.zone != state.subnets.at(*in_zone).zone) {
    return fail("InvalidParameterCombination",
                fmt::format("The subnet '{}' is not in the availability zone that is asked for",
                            subnet_id));
  }
  return subnet_id;
}

// Names are of the default VPC.
Result<Texts> groups_of(const control::State& state, const Value& input) {
  Texts ids = input.texts("SecurityGroupIds");
  const model::Vpc* vpc = control::default_vpc(state);
  for (const std::string& name : input.texts("SecurityGroups")) {
    const auto found = std::ranges::find_if(state.security_groups, [&](const auto& entry) {
      return vpc != nullptr && entry.second.vpc_id == vpc->id && entry.second.name == name;
    });
    if (found == state.security_groups.end()) {
      return fail("InvalidGroup.NotFound",
                  fmt::format("The security group '{}' does not exist", name.substr(0, 255)));
    }
    ids.push_back(found->first);
  }
  return ids;
}

// One interface may be described in full; then it says subnet, groups and address.
Result<Value> with_interface(const Value& input) {
  const Value::List& interfaces = input.list("NetworkInterfaces");
  if (interfaces.empty()) return input;
  if (interfaces.size() > 1) return not_supported("more than one NetworkInterface");
  const Value& given = interfaces.front();
  for (const char* member : {"NetworkInterfaceId", "Ipv6AddressCount", "Ipv6Addresses",
                             "PrivateIpAddresses", "SecondaryPrivateIpAddressCount"}) {
    if (given.has(member)) return not_supported(member);
  }
  for (const char* member : {"SubnetId", "SecurityGroupIds", "SecurityGroups"}) {
    if (!input.has(member)) continue;
    return fail("InvalidParameterCombination",
                "Network interfaces and an instance-level subnet ID or security groups may not be "
                "specified on the same request");
  }
  Value out = input;
  out.set_text("SubnetId", given.text("SubnetId"));
  out.set_text("PrivateIpAddress", given.text("PrivateIpAddress"));
  if (given.has("Groups")) out.set("SecurityGroupIds", Value::list_of(given.texts("Groups")));
  return out;
}

// A text that two inputs have in common only where they are the same.
void write_canonical(const Value& value, std::string& out) {
  if (const auto* list = std::get_if<Value::List>(&value.held())) {
    out += '[';
    for (const Value& item : *list) write_canonical(item, out);
    out += ']';
  } else if (const auto* text = std::get_if<std::string>(&value.held())) {
    out += fmt::format("{}:{}", text->size(), *text);
  } else if (const auto* flag = std::get_if<bool>(&value.held())) {
    out += *flag ? 't' : 'f';
  } else if (const auto* number = std::get_if<std::int64_t>(&value.held())) {
    out += fmt::format("#{};", *number);
  } else {
    std::map<std::string_view, const Value*> members;
    for (const auto& [name, member] : value.members()) members[name] = &member;
    out += '{';
    for (const auto& [name, member] : members) {
      out += fmt::format("{}=", name);
      write_canonical(*member, out);
    }
    out += '}';
  }
}

std::string digest_of(const Value& input) {
  std::string text;
  write_canonical(input, text);
  return sha256_hex(text);
}

constexpr auto taggable =
    std::to_array<std::string_view>({"instance", "volume", "network-interface"});

Status read_tags(const Value& input, control::RunInstancesInput& out) {
  for (const auto& [type, tags] :
       {std::pair{taggable[0], &out.tags}, std::pair{taggable[1], &out.volume_tags},
        std::pair{taggable[2], &out.network_interface_tags}}) {
    auto given = specified_tags(input, type, taggable);
    if (!given) return std::unexpected(given.error());
    *tags = std::move(*given);
  }
  return {};
}

Result<std::string> user_data_of(const Value& input) {
  auto raw = model::base64_decode(input.text("UserData"));
  if (!raw) return fail("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data");
  return std::move(*raw);
}

Status check_image(const Ec2Parts& parts, const std::string& id) {
  if (!id.starts_with("ami-")) return {};  // the verb says so
  const Texts images = parts.images();
  if (std::ranges::find(images, id) != images.end()) return {};
  return fail("InvalidAMIID.NotFound",
              fmt::format("The image id '[{}]' does not exist", id.substr(0, 100)));
}

Status read_counts(const Value& input, control::RunInstancesInput& out) {
  const std::int64_t least = input.integer("MinCount").value_or(1);
  const std::int64_t most = input.integer("MaxCount").value_or(1);
  if (least < 1 || most < least) {
    return fail("InvalidParameterValue",
                "MinCount must be at least 1, and MaxCount not less than MinCount");
  }
  out.count = static_cast<int>(most);
  out.min_count = static_cast<int>(least);
  return {};
}

void read_options(const Value& input, control::RunInstancesInput& out) {
  out.image_id = input.text("ImageId");
  out.type = input.text("InstanceType", "t2.micro");
  out.key_name = input.text("KeyName");
  out.private_ip = input.text("PrivateIpAddress");
  out.client_token = input.text("ClientToken");
  out.disable_api_termination = input.flag("DisableApiTermination").value_or(false);
  out.disable_api_stop = input.flag("DisableApiStop").value_or(false);
  out.shutdown_behavior = input.text("InstanceInitiatedShutdownBehavior", "stop");
  out.ebs_optimized = input.flag("EbsOptimized").value_or(false);
  out.detailed_monitoring = is_enabled(input, "Monitoring", "Enabled");
  if (const Value* credits = input.find("CreditSpecification")) {
    out.cpu_credits = credits->text("CpuCredits");
  }
  if (const Value* options = input.find("MetadataOptions")) {
    out.metadata_tokens_required = options->text("HttpTokens") == "required";
  }
}

Status read_network(const Ec2Parts& parts, const Value& input, control::RunInstancesInput& out) {
  Result<std::string> subnet;
  Result<Texts> groups;
  parts.registry.read([&](const control::State& state) {
    subnet = subnet_of(state, input);
    groups = groups_of(state, input);
  });
  if (!subnet) return std::unexpected(subnet.error());
  if (!groups) return std::unexpected(groups.error());
  out.subnet_id = std::move(*subnet);
  out.security_group_ids = std::move(*groups);
  return {};
}

Result<control::RunInstancesInput> launch_of(const Ec2Parts& parts, const Value& given) {
  if (auto valid = check_supported(given); !valid) return std::unexpected(valid.error());
  const auto input = with_interface(given);
  if (!input) return std::unexpected(input.error());
  control::RunInstancesInput out;
  read_options(*input, out);
  if (auto valid = check_image(parts, out.image_id); !valid) return std::unexpected(valid.error());
  for (const auto& done :
       {read_counts(*input, out), read_tags(*input, out), read_network(parts, *input, out)}) {
    if (!done) return std::unexpected(done.error());
  }
  auto user_data = user_data_of(*input);
  if (!user_data) return std::unexpected(user_data.error());
  out.user_data = std::move(*user_data);
  out.client_token_digest = digest_of(given);
  return out;
}

Result<Value> run(const Ec2Parts& parts, const Value& input) {
  const auto wanted = launch_of(parts, input);
  if (!wanted) return std::unexpected(wanted.error());
  const auto launched = parts.ec2.run_instances(*wanted);
  if (!launched) return std::unexpected(launched.error());
  std::vector<const model::Instance*> instances;
  for (const model::Instance& instance : *launched) instances.push_back(&instance);
  Value out;
  parts.registry.read([&](const control::State& state) {
    out = reservation_value({state, parts.registry.region(), parts.registry.account()}, instances);
  });
  return out;
}

}  // namespace

void add_run_instances(Handlers& handlers, const Ec2Parts& parts) {
  handlers["RunInstances"] = changing(parts, run);
}

}  // namespace weir::aws::ec2
