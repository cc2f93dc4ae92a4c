// Volumes and network interfaces: each instance has one of each, made and ended with it. Elastic
// addresses: there are none.
#include "aws/ec2/instance_shapes.hpp"

namespace weir::aws::ec2 {
namespace {

using control::State;

constexpr int root_volume_gib = 8;

// Views of instances that have them, so that listings and filters work as for other records.
struct Volume {
  const model::Instance* instance = nullptr;
  model::Tags tags;
};
struct Interface {
  const model::Instance* instance = nullptr;
  model::Tags tags;
};

constexpr auto volume_fields = std::to_array<Field<Volume>>({
    {"volume-id", [](const State&, const Volume& v) { return Texts{v.instance->root_volume_id}; }},
    {"attachment.instance-id", [](const State&, const Volume& v) { return Texts{v.instance->id}; }},
    {"attachment.device",
     [](const State&, const Volume&) { return Texts{std::string(root_device)}; }},
    {"attachment.status", [](const State&, const Volume&) { return Texts{"attached"}; }},
    {"attachment.delete-on-termination", [](const State&, const Volume&) { return Texts{"true"}; }},
    {"availability-zone", [](const State&, const Volume& v) { return Texts{v.instance->zone}; }},
    {"status", [](const State&, const Volume&) { return Texts{"in-use"}; }},
    {"volume-type", [](const State&, const Volume&) { return Texts{"gp2"}; }},
    {"encrypted", [](const State&, const Volume&) { return Texts{"false"}; }},
    {"size", [](const State&, const Volume&) { return Texts{std::to_string(root_volume_gib)}; }},
});

constexpr auto interface_fields = std::to_array<Field<Interface>>({
    {"network-interface-id",
     [](const State&, const Interface& i) { return Texts{i.instance->network_interface_id}; }},
    {"attachment.instance-id",
     [](const State&, const Interface& i) { return Texts{i.instance->id}; }},
    {"attachment.status", [](const State&, const Interface&) { return Texts{"attached"}; }},
    {"availability-zone", [](const State&, const Interface& i) { return Texts{i.instance->zone}; }},
    {"group-id", [](const State&, const Interface& i) { return i.instance->security_group_ids; }},
    {"mac-address", [](const State&, const Interface& i) { return Texts{i.instance->mac}; }},
    {"private-ip-address",
     [](const State&, const Interface& i) { return Texts{i.instance->private_ip}; }},
    {"addresses.private-ip-address",
     [](const State&, const Interface& i) { return Texts{i.instance->private_ip}; }},
    {"status", [](const State&, const Interface&) { return Texts{"in-use"}; }},
    {"subnet-id", [](const State&, const Interface& i) { return Texts{i.instance->subnet_id}; }},
    {"vpc-id", [](const State&, const Interface& i) { return Texts{i.instance->vpc_id}; }},
});

Value write_volume(const Site& site, const Volume& volume) {
  const model::Instance& instance = *volume.instance;
  Value attachment{
      {"DeleteOnTermination", true}, {"VolumeId", instance.root_volume_id},
      {"InstanceId", instance.id},   {"Device", root_device},
      {"State", "attached"},         {"AttachTime", Timestamp{instance.launch_time_ms}}};
  Value out{{"AvailabilityZoneId", zone_id_of(site.state, instance)},
            {"VolumeType", "gp2"},
            {"Iops", 100},
            {"MultiAttachEnabled", false},
            {"VolumeId", instance.root_volume_id},
            {"Size", root_volume_gib},
            {"SnapshotId", ""},
            {"AvailabilityZone", instance.zone},
            {"State", "in-use"},
            {"CreateTime", Timestamp{instance.launch_time_ms}},
            {"Encrypted", false}};
  out.set("Tags", tag_list(volume.tags));
  out.set("Attachments", Value(Value::List{std::move(attachment)}));
  return out;
}

Value write_interface(const Site& site, const Interface& interface) {
  const model::Instance& instance = *interface.instance;
  const Value whole = instance_value(site, instance);
  const Value& shown = whole.list("NetworkInterfaces").front();
  Value out;
  for (const auto& [name, value] : shown.members()) out.set(name, value);
  Value attachment;
  for (const auto& [name, value] : shown.find("Attachment")->members()) attachment.set(name, value);
  attachment.set("InstanceId", instance.id);
  attachment.set("InstanceOwnerId", site.account);
  out.set("Attachment", std::move(attachment));
  out.set("AvailabilityZone", instance.zone);
  out.set("AvailabilityZoneId", zone_id_of(site.state, instance));
  out.set("RequesterManaged", false);
  out.set("TagSet", tag_list(interface.tags));
  return out;
}

constexpr Listing<Volume> volumes{
    "Volumes", "VolumeIds",   "vol-",      "InvalidVolumeID.Malformed", "InvalidVolume.NotFound",
    "volume",  volume_fields, write_volume};
constexpr Listing<Interface> network_interfaces{"NetworkInterfaces",
                                                "NetworkInterfaceIds",
                                                "eni-",
                                                "InvalidNetworkInterfaceID.Malformed",
                                                "InvalidNetworkInterfaceID.NotFound",
                                                "network interface",
                                                interface_fields,
                                                write_interface};

Result<Value> describe_volumes(const Site& site, const Value& input) {
  std::map<std::string, Volume> records;
  for (const auto& [id, instance] : site.state.instances) {
    if (!is_ended(instance)) records[instance.root_volume_id] = {&instance, instance.volume_tags};
  }
  return list_records(site, records, input, volumes);
}

Result<Value> describe_interfaces(const Site& site, const Value& input) {
  std::map<std::string, Interface> records;
  for (const auto& [id, instance] : site.state.instances) {
    if (is_ended(instance)) continue;
    records[instance.network_interface_id] = {&instance, instance.network_interface_tags};
  }
  return list_records(site, records, input, network_interfaces);
}

Result<Value> describe_addresses(const Site&, const Value& input) {
  for (const std::string& id : input.texts("AllocationIds")) {
    return fail("InvalidAllocationID.NotFound",
                fmt::format("The allocation ID '{}' does not exist", id.substr(0, 100)));
  }
  for (const std::string& address : input.texts("PublicIps")) {
    return fail("InvalidAddress.NotFound",
                fmt::format("Address '{}' not found.", address.substr(0, 100)));
  }
  Value out;
  out.set("Addresses", Value(Value::List{}));
  return out;
}

}  // namespace

void add_volumes(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeVolumes"] = reading(parts, describe_volumes);
  handlers["DescribeNetworkInterfaces"] = reading(parts, describe_interfaces);
  handlers["DescribeAddresses"] = reading(parts, describe_addresses);
}

}  // namespace weir::aws::ec2
