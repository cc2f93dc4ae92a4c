// What can be asked and changed of an instance, an attribute at a time.
#include "aws/ec2/instance_shapes.hpp"
#include "control/ec2.hpp"
#include "model/base64.hpp"

namespace weir::aws::ec2 {
namespace {

using control::ModifyInstanceInput;
using model::Instance;

std::unexpected<Error> cannot(std::string_view what, std::string_view attribute) {
  return fail("UnsupportedOperation",
              fmt::format("The attribute '{}' cannot be {} in Weir", attribute, what));
}

Value attribute(Value value) {
  Value out;
  out.set("Value", std::move(value));
  return out;
}

// nullptr: no such instance. Its error is the verb's in other calls.
Result<const Instance*> instance_in(const control::State& state, const std::string& id) {
  if (auto valid = check_ids(
          {id}, "i-", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound", "instance ID",
          [&](const std::string& asked) { return state.instances.contains(asked); });
      !valid) {
    return std::unexpected(valid.error());
  }
  return &state.instances.at(id);
}

struct Told {
  std::string_view attribute;
  std::string_view member;
  Value (*value)(const Site&, const Instance&);
};

Value user_data_value(const Site&, const Instance& i) {
  return i.user_data.empty() ? Value() : attribute(model::base64_encode(i.user_data));
}

constexpr auto told = std::to_array<Told>({
    {"instanceType", "InstanceType",
     [](const Site&, const Instance& i) { return attribute(i.type); }},
    {"userData", "UserData", user_data_value},
    {"disableApiTermination", "DisableApiTermination",
     [](const Site&, const Instance& i) { return attribute(i.disable_api_termination); }},
    {"disableApiStop", "DisableApiStop",
     [](const Site&, const Instance& i) { return attribute(i.disable_api_stop); }},
    {"instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior",
     [](const Site&, const Instance& i) { return attribute(i.shutdown_behavior); }},
    {"rootDeviceName", "RootDeviceName",
     [](const Site&, const Instance&) { return attribute(root_device); }},
    {"sourceDestCheck", "SourceDestCheck",
     [](const Site&, const Instance& i) { return attribute(i.source_dest_check); }},
    {"ebsOptimized", "EbsOptimized",
     [](const Site&, const Instance& i) { return attribute(i.ebs_optimized); }},
    {"enaSupport", "EnaSupport", [](const Site&, const Instance&) { return attribute(true); }},
    {"groupSet", "Groups",
     [](const Site& site, const Instance& i) {
       return group_list(site.state, i.security_group_ids);
     }},
    {"productCodes", "ProductCodes",
     [](const Site&, const Instance&) { return Value(Value::List{}); }},
    {"blockDeviceMapping", "BlockDeviceMappings",
     [](const Site& site, const Instance& i) {
       const Value whole = instance_value(site, i);
       const Value* mappings = whole.find("BlockDeviceMappings");
       return mappings == nullptr ? Value(Value::List{}) : *mappings;
     }},
    {"kernel", "KernelId", [](const Site&, const Instance&) { return Value(); }},
    {"ramdisk", "RamdiskId", [](const Site&, const Instance&) { return Value(); }},
    {"sriovNetSupport", "SriovNetSupport", [](const Site&, const Instance&) { return Value(); }},
    {"enclaveOptions", "EnclaveOptions",
     [](const Site&, const Instance&) {
       return Value{{"Enabled", false}};
     }},
});

Result<Value> describe(const Site& site, const Value& input) {
  const auto instance = instance_in(site.state, input.text("InstanceId"));
  if (!instance) return std::unexpected(instance.error());
  const std::string name = input.text("Attribute");
  const auto found = std::ranges::find(told, name, &Told::attribute);
  if (found == told.end()) return cannot("asked for", name);
  Value out{{"InstanceId", (*instance)->id}};
  out.set(found->member, found->value(site, **instance));
  return out;
}

// ---------------------------------------------------------------- changes
std::optional<bool> flag_in(const Value& input, std::string_view member) {
  const Value* given = input.find(member);
  return given == nullptr ? std::nullopt : given->flag("Value");
}

std::optional<std::string> text_in(const Value& input, std::string_view member) {
  const Value* given = input.find(member);
  return given == nullptr ? std::nullopt : given->optional_text("Value");
}

// The older form: the attribute's name, and its value as a text.
Result<Value> in_members(const Value& input) {
  const auto name = input.optional_text("Attribute");
  if (!name) return input;
  const std::string text = input.text("Value");
  Value out = input;
  for (const Told& each : told) {
    if (each.attribute != *name) continue;
    const bool is_flag = text == "true" || text == "false";
    out.set(each.member, is_flag ? attribute(text == "true") : attribute(text));
    return out;
  }
  return cannot("changed", *name);
}

Result<ModifyInstanceInput> changes_of(const Value& given) {
  const auto input = in_members(given);
  if (!input) return std::unexpected(input.error());
  for (const char* member : {"BlockDeviceMappings", "Kernel", "Ramdisk", "SriovNetSupport",
                             "EnaSupport", "RootDeviceName"}) {
    if (input->has(member)) return cannot("changed", member);
  }
  ModifyInstanceInput out;
  out.type = text_in(*input, "InstanceType");
  out.disable_api_termination = flag_in(*input, "DisableApiTermination");
  out.disable_api_stop = flag_in(*input, "DisableApiStop");
  out.shutdown_behavior = text_in(*input, "InstanceInitiatedShutdownBehavior");
  out.source_dest_check = flag_in(*input, "SourceDestCheck");
  out.ebs_optimized = flag_in(*input, "EbsOptimized");
  out.user_data = text_in(*input, "UserData");
  if (out.user_data && given.has("Attribute")) {
    auto raw = model::base64_decode(*out.user_data);
    if (!raw) return fail("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data");
    out.user_data = std::move(*raw);
  }
  if (given.has("Groups")) out.security_group_ids = given.texts("Groups");
  return out;
}

Result<Value> modify(const Ec2Parts& parts, const Value& input) {
  const auto changes = changes_of(input);
  if (!changes) return std::unexpected(changes.error());
  auto changed = parts.ec2.modify_instance(input.text("InstanceId"), *changes);
  if (!changed) return std::unexpected(changed.error());
  return Value();
}

Result<Value> reset(const Ec2Parts& parts, const Value& input) {
  const std::string name = input.text("Attribute");
  if (name != "sourceDestCheck") return cannot("reset", name);
  ModifyInstanceInput changes;
  changes.source_dest_check = true;
  auto changed = parts.ec2.modify_instance(input.text("InstanceId"), changes);
  if (!changed) return std::unexpected(changed.error());
  return Value();
}

Handler monitoring(const Ec2Parts& parts, bool is_on) {
  return changing(parts, [is_on](const Ec2Parts& with, const Value& input) -> Result<Value> {
    const Texts ids = input.texts("InstanceIds");
    Result<const Instance*> found;
    with.registry.read([&](const control::State& state) {
      for (const std::string& id : ids) {
        found = instance_in(state, id);
        if (!found) return;
      }
    });
    if (!found) return std::unexpected(found.error());
    ModifyInstanceInput changes;
    changes.detailed_monitoring = is_on;
    Value::List items;
    for (const std::string& id : ids) {
      if (auto done = with.ec2.modify_instance(id, changes); !done) {
        return std::unexpected(done.error());
      }
      Value item{{"InstanceId", id}};
      item.set("Monitoring", Value{{"State", is_on ? "enabled" : "disabled"}});
      items.push_back(std::move(item));
    }
    Value out;
    out.set("InstanceMonitorings", Value(std::move(items)));
    return out;
  });
}

Result<Value> describe_credits(const Site& site, const Value& input) {
  Value::List items;
  const auto add = [&](const Instance& instance) {
    if (instance.cpu_credits.empty() || is_ended(instance)) return;
    items.push_back({{"InstanceId", instance.id}, {"CpuCredits", instance.cpu_credits}});
  };
  for (const std::string& id : input.texts("InstanceIds")) {
    const auto found = instance_in(site.state, id);
    if (!found) return std::unexpected(found.error());
    add(**found);
  }
  if (!input.has("InstanceIds")) {
    // As EC2 does: of all only those that are not as their type is anyway.
    for (const auto& [id, instance] : site.state.instances) {
      if (instance.cpu_credits == "unlimited") add(instance);
    }
  }
  Value out;
  out.set("InstanceCreditSpecifications", Value(std::move(items)));
  return out;
}

}  // namespace

void add_instance_attributes(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeInstanceAttribute"] = reading(parts, describe);
  handlers["ModifyInstanceAttribute"] = changing(parts, modify);
  handlers["ResetInstanceAttribute"] = changing(parts, reset);
  handlers["MonitorInstances"] = monitoring(parts, true);
  handlers["UnmonitorInstances"] = monitoring(parts, false);
  handlers["DescribeInstanceCreditSpecifications"] = reading(parts, describe_credits);
}

}  // namespace weir::aws::ec2
