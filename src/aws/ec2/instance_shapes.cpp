// Instances as DescribeInstances tells them: reference §9.2.
#include "aws/ec2/instance_shapes.hpp"

#include "model/instance_types.hpp"
#include "model/names.hpp"

namespace weir::aws::ec2 {
namespace {

Value block_devices(const model::Instance& instance) {
  Value ebs{{"AttachTime", Timestamp{instance.launch_time_ms}},
            {"DeleteOnTermination", true},
            {"Status", "attached"},
            {"VolumeId", instance.root_volume_id}};
  Value device{{"DeviceName", root_device}};
  device.set("Ebs", std::move(ebs));
  return Value(Value::List{std::move(device)});
}

Value interfaces(const Site& site, const model::Instance& instance) {
  Value attachment{{"AttachTime", Timestamp{instance.launch_time_ms}},
                   {"AttachmentId", part_id("eni-attach-", instance.network_interface_id)},
                   {"DeleteOnTermination", true},
                   {"DeviceIndex", 0},
                   {"Status", "attached"},
                   {"NetworkCardIndex", 0}};
  Value address{{"Primary", true},
                {"PrivateDnsName", instance.private_dns_name},
                {"PrivateIpAddress", instance.private_ip}};
  Value out;
  out.set("Attachment", std::move(attachment));
  out.set("Description", "");
  out.set("Groups", group_list(site.state, instance.security_group_ids));
  out.set("Ipv6Addresses", Value(Value::List{}));
  out.set("MacAddress", instance.mac);
  out.set("NetworkInterfaceId", instance.network_interface_id);
  out.set("OwnerId", site.account);
  out.set("PrivateDnsName", instance.private_dns_name);
  out.set("PrivateIpAddress", instance.private_ip);
  out.set("PrivateIpAddresses", Value(Value::List{std::move(address)}));
  out.set("SourceDestCheck", instance.source_dest_check);
  out.set("Status", "in-use");
  out.set("SubnetId", instance.subnet_id);
  out.set("VpcId", instance.vpc_id);
  out.set("InterfaceType", "interface");
  return Value(Value::List{std::move(out)});
}

// What an ended instance does not have any more.
void set_living(const Site& site, const model::Instance& instance, Value& out) {
  out.set("BlockDeviceMappings", block_devices(instance));
  out.set("NetworkInterfaces", interfaces(site, instance));
  out.set("SecurityGroups", group_list(site.state, instance.security_group_ids));
  out.set("SubnetId", instance.subnet_id);
  out.set("VpcId", instance.vpc_id);
  out.set("PrivateIpAddress", instance.private_ip);
  out.set("SourceDestCheck", instance.source_dest_check);
}

void set_hardware(const model::Instance& instance, Value& out) {
  const model::InstanceType* type = model::find_instance_type(instance.type);
  if (type == nullptr) return;
  const int threads = type->vcpus > 1 && !type->name.starts_with("t2.") ? 2 : 1;
  out.set("CpuOptions", Value{{"CoreCount", type->vcpus / threads}, {"ThreadsPerCore", threads}});
}

}  // namespace

bool is_ended(const model::Instance& instance) {
  return instance.state == model::InstanceState::terminated;
}

std::string zone_id_of(const control::State& state, const model::Instance& instance) {
  const auto subnet = state.subnets.find(instance.subnet_id);
  return subnet == state.subnets.end() ? std::string() : subnet->second.zone_id;
}

Value state_value(model::InstanceState state) {
  return {{"Code", static_cast<int>(state)}, {"Name", model::name_of(state)}};
}

Value group_list(const control::State& state, const std::vector<std::string>& ids) {
  Value::List groups;
  for (const std::string& id : ids) {
    Value group{{"GroupId", id}};
    if (const auto found = state.security_groups.find(id); found != state.security_groups.end()) {
      group.set("GroupName", found->second.name);
    }
    groups.push_back(std::move(group));
  }
  return Value(std::move(groups));
}

Value instance_value(const Site& site, const model::Instance& instance) {
  const bool ended = is_ended(instance);
  Value out{{"Architecture", "x86_64"},
            {"ClientToken", instance.client_token},
            {"EbsOptimized", instance.ebs_optimized},
            {"EnaSupport", true},
            {"Hypervisor", "xen"},
            {"RootDeviceName", root_device},
            {"RootDeviceType", "ebs"},
            {"VirtualizationType", "hvm"},
            {"InstanceId", instance.id},
            {"ImageId", instance.image_id},
            {"PrivateDnsName", ended ? std::string() : instance.private_dns_name},
            {"PublicDnsName", ""},
            {"AmiLaunchIndex", instance.launch_index},
            {"InstanceType", instance.type},
            {"LaunchTime", Timestamp{instance.launch_time_ms}},
            {"PlatformDetails", "Linux/UNIX"},
            {"UsageOperation", "RunInstances"}};
  out.set("State", state_value(instance.state));
  out.set("StateTransitionReason",
          instance.state_reason.code == "Client.UserInitiatedShutdown" ? "User initiated" : "");
  if (!instance.state_reason.code.empty()) {
    out.set("StateReason", Value{{"Code", instance.state_reason.code},
                                 {"Message", instance.state_reason.message}});
  }
  out.set_text("KeyName", instance.key_name);
  out.set("Placement", Value{{"AvailabilityZone", instance.zone},
                             {"AvailabilityZoneId", zone_id_of(site.state, instance)},
                             {"GroupName", ""},
                             {"Tenancy", "default"}});
  out.set("Monitoring", Value{{"State", instance.detailed_monitoring ? "enabled" : "disabled"}});
  out.set("MetadataOptions",
          Value{{"State", "applied"},
                {"HttpTokens", instance.metadata_tokens_required ? "required" : "optional"},
                {"HttpPutResponseHopLimit", 1},
                {"HttpEndpoint", "enabled"},
                {"HttpProtocolIpv6", "disabled"},
                {"InstanceMetadataTags", "disabled"}});
  out.set("Tags", tag_list(instance.tags));
  set_hardware(instance, out);
  if (!ended) set_living(site, instance, out);
  return out;
}

Value reservation_value(const Site& site, const std::vector<const model::Instance*>& instances) {
  Value::List items;
  for (const model::Instance* instance : instances) {
    items.push_back(instance_value(site, *instance));
  }
  Value out{{"ReservationId", instances.front()->reservation_id}, {"OwnerId", site.account}};
  out.set("Groups", Value(Value::List{}));  // of EC2-Classic
  out.set("Instances", Value(std::move(items)));
  return out;
}

Value reservation_list(const Site& site, const std::vector<const model::Instance*>& instances) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<const model::Instance*>> reservations;
  for (const model::Instance* instance : instances) {
    auto& members = reservations[instance->reservation_id];
    if (members.empty()) order.push_back(instance->reservation_id);
    members.push_back(instance);
  }
  Value::List items;
  for (const std::string& id : order) {
    auto& members = reservations.at(id);
    std::ranges::sort(members, {}, &model::Instance::launch_index);
    items.push_back(reservation_value(site, members));
  }
  return Value(std::move(items));
}

}  // namespace weir::aws::ec2
