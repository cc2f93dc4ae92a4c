// Instances: what there is and how it is, and the verbs that change its state (reference §9.3).
#include "aws/ec2/instance_shapes.hpp"
#include "base/clock.hpp"
#include "control/ec2.hpp"
#include "model/base64.hpp"
#include "model/names.hpp"

namespace weir::aws::ec2 {
namespace {

using control::State;
using model::Instance;
using model::InstanceState;

constexpr std::size_t status_ids_max = 100;
constexpr std::size_t console_bytes_max = 64 * 1024;

std::string text_of(bool flag) { return flag ? "true" : "false"; }

Texts group_names(const State& state, const Instance& instance) {
  Texts names;
  for (const std::string& id : instance.security_group_ids) {
    const auto found = state.security_groups.find(id);
    if (found != state.security_groups.end()) names.push_back(found->second.name);
  }
  return names;
}

constexpr auto instance_fields = std::to_array<Field<Instance>>({
    {"instance-id", [](const State&, const Instance& i) { return Texts{i.id}; }},
    {"instance-state-name",
     [](const State&, const Instance& i) { return Texts{std::string(model::name_of(i.state))}; }},
    {"instance-state-code",
     [](const State&, const Instance& i) { return Texts{fmt::format("{}", int(i.state))}; }},
    {"instance-type", [](const State&, const Instance& i) { return Texts{i.type}; }},
    {"image-id", [](const State&, const Instance& i) { return Texts{i.image_id}; }},
    {"key-name", [](const State&, const Instance& i) { return Texts{i.key_name}; }},
    {"client-token", [](const State&, const Instance& i) { return Texts{i.client_token}; }},
    {"reservation-id", [](const State&, const Instance& i) { return Texts{i.reservation_id}; }},
    {"launch-index",
     [](const State&, const Instance& i) { return Texts{std::to_string(i.launch_index)}; }},
    {"launch-time",
     [](const State&, const Instance& i) { return Texts{iso8601(i.launch_time_ms)}; }},
    {"vpc-id", [](const State&, const Instance& i) { return Texts{i.vpc_id}; }},
    {"subnet-id", [](const State&, const Instance& i) { return Texts{i.subnet_id}; }},
    {"availability-zone", [](const State&, const Instance& i) { return Texts{i.zone}; }},
    {"availability-zone-id",
     [](const State& state, const Instance& i) { return Texts{zone_id_of(state, i)}; }},
    {"private-ip-address", [](const State&, const Instance& i) { return Texts{i.private_ip}; }},
    {"private-dns-name", [](const State&, const Instance& i) { return Texts{i.private_dns_name}; }},
    {"network-interface.network-interface-id",
     [](const State&, const Instance& i) { return Texts{i.network_interface_id}; }},
    {"network-interface.mac-address", [](const State&, const Instance& i) { return Texts{i.mac}; }},
    {"block-device-mapping.volume-id",
     [](const State&, const Instance& i) { return Texts{i.root_volume_id}; }},
    {"block-device-mapping.device-name",
     [](const State&, const Instance&) { return Texts{std::string(root_device)}; }},
    {"instance.group-id", [](const State&, const Instance& i) { return i.security_group_ids; }},
    {"network-interface.group-id",
     [](const State&, const Instance& i) { return i.security_group_ids; }},
    {"group-id", [](const State&, const Instance& i) { return i.security_group_ids; }},
    {"instance.group-name", group_names},
    {"group-name", group_names},
    {"monitoring-state",
     [](const State&,
        const Instance& i) { return Texts{i.detailed_monitoring ? "enabled" : "disabled"}; }},
    {"source-dest-check",
     [](const State&, const Instance& i) { return Texts{text_of(i.source_dest_check)}; }},
    {"state-reason-code",
     [](const State&, const Instance& i) { return Texts{i.state_reason.code}; }},
    {"architecture", [](const State&, const Instance&) { return Texts{"x86_64"}; }},
    {"hypervisor", [](const State&, const Instance&) { return Texts{"xen"}; }},
    {"root-device-type", [](const State&, const Instance&) { return Texts{"ebs"}; }},
    {"root-device-name",
     [](const State&, const Instance&) { return Texts{std::string(root_device)}; }},
    {"virtualization-type", [](const State&, const Instance&) { return Texts{"hvm"}; }},
    {"tenancy", [](const State&, const Instance&) { return Texts{"default"}; }},
});

Status check_instances(const State& state, const Texts& ids) {
  return check_ids(ids, "i-", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound",
                   "instance ID",
                   [&](const std::string& id) { return state.instances.contains(id); });
}

struct Found {
  std::vector<const Instance*> instances;
  std::string next_token;
};

// Those that `input` asks for, as far as a page goes; `is_wanted` says which count at all.
Result<Found> find(const State& state, const Value& input,
                   const std::function<bool(const Instance&)>& is_wanted) {
  const auto filters = filters_of(input);
  if (!filters) return std::unexpected(filters.error());
  const std::span<const Field<Instance>> fields = instance_fields;
  if (auto valid = check_filters(*filters, fields); !valid) return std::unexpected(valid.error());
  const Texts ids = input.texts("InstanceIds");
  if (auto valid = check_instances(state, ids); !valid) return std::unexpected(valid.error());
  const auto page = page_of(input, !ids.empty());
  if (!page) return std::unexpected(page.error());
  const std::set<std::string> asked(ids.begin(), ids.end());
  Found found;
  for (auto at = state.instances.upper_bound(page->after); at != state.instances.end(); ++at) {
    if (!asked.empty() && !asked.contains(at->first)) continue;
    if (!is_wanted(at->second) || !passes(state, *filters, fields, at->second)) continue;
    if (found.instances.size() == page->size) {
      found.next_token = make_marker(found.instances.back()->id);
      break;
    }
    found.instances.push_back(&at->second);
  }
  return found;
}

Result<Value> describe(const Site& site, const Value& input) {
  const auto found = find(site.state, input, [](const Instance&) { return true; });
  if (!found) return std::unexpected(found.error());
  Value out;
  out.set("Reservations", reservation_list(site, found->instances));
  out.set_text("NextToken", found->next_token);
  return out;
}

// A container either runs or it does not: there is no machine below it that could be unwell.
Value status_summary(const Instance& instance) {
  Value out;
  if (instance.state == InstanceState::running) {
    Value detail{{"Name", "reachability"}, {"Status", "passed"}};
    out.set("Details", Value(Value::List{std::move(detail)}));
    out.set("Status", "ok");
  } else {
    const bool is_new = instance.state == InstanceState::pending;
    out.set("Status", is_new ? "initializing" : "not-applicable");
  }
  return out;
}

Result<Value> describe_status(const Site& site, const Value& input) {
  if (input.list("InstanceIds").size() > status_ids_max) {
    return fail("InvalidParameterValue", "At most 100 instance IDs can be asked for");
  }
  const bool all = input.flag("IncludeAllInstances").value_or(false);
  const auto found = find(site.state, input, [&](const Instance& instance) {
    return all || instance.state == InstanceState::running;
  });
  if (!found) return std::unexpected(found.error());
  Value::List items;
  for (const Instance* instance : found->instances) {
    Value item{{"AvailabilityZone", instance->zone},
               {"AvailabilityZoneId", zone_id_of(site.state, *instance)},
               {"InstanceId", instance->id}};
    item.set("InstanceState", state_value(instance->state));
    item.set("InstanceStatus", status_summary(*instance));
    item.set("SystemStatus", status_summary(*instance));
    items.push_back(std::move(item));
  }
  Value out;
  out.set("InstanceStatuses", Value(std::move(items)));
  out.set_text("NextToken", found->next_token);
  return out;
}

// ---------------------------------------------------------------- changes of state
using Verb = Status (control::Ec2::*)(const std::vector<std::string>&);
using States = std::map<std::string, InstanceState>;

States states_of(const Ec2Parts& parts, const Texts& ids) {
  States states;
  parts.registry.read([&](const State& state) {
    for (const std::string& id : ids) {
      const auto found = state.instances.find(id);
      if (found != state.instances.end()) states[id] = found->second.state;
    }
  });
  return states;
}

Handler state_change(const Ec2Parts& parts, Verb verb, std::string_view output) {
  return changing(parts, [verb, output](const Ec2Parts& with, const Value& input) -> Result<Value> {
    const Texts ids = input.texts("InstanceIds");
    const States before = states_of(with, ids);
    if (auto done = (with.ec2.*verb)(ids); !done) return std::unexpected(done.error());
    Value::List changes;
    for (const auto& [id, state] : states_of(with, ids)) {
      const auto previous = before.find(id);
      Value change{{"InstanceId", id}};
      change.set("CurrentState", state_value(state));
      change.set("PreviousState", state_value(previous == before.end() ? state : previous->second));
      changes.push_back(std::move(change));
    }
    Value out;
    out.set(output, Value(std::move(changes)));
    return out;
  });
}

Result<Value> console_output(const Ec2Parts& parts, const Value& input) {
  const std::string id = input.text("InstanceId");
  const auto text = parts.ec2.console_output(id, console_bytes_max);
  if (!text) return std::unexpected(text.error());
  return Value{{"InstanceId", id},
               {"Timestamp", Timestamp{wall_ms()}},
               {"Output", model::base64_encode(*text)}};
}

}  // namespace

void add_instances(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeInstances"] = reading(parts, describe);
  handlers["DescribeInstanceStatus"] = reading(parts, describe_status);
  handlers["StartInstances"] =
      state_change(parts, &control::Ec2::start_instances, "StartingInstances");
  handlers["StopInstances"] =
      state_change(parts, &control::Ec2::stop_instances, "StoppingInstances");
  handlers["TerminateInstances"] =
      state_change(parts, &control::Ec2::terminate_instances, "TerminatingInstances");
  handlers["RebootInstances"] =
      changing(parts, [](const Ec2Parts& with, const Value& input) -> Result<Value> {
        auto done = with.ec2.reboot_instances(input.texts("InstanceIds"));
        if (!done) return std::unexpected(done.error());
        return Value();
      });
  handlers["GetConsoleOutput"] = changing(parts, console_output);
}

}  // namespace weir::aws::ec2
