// What may be said of an instance, at its launch and later: type, user data, groups, protection.
//
// A change is a transaction like all others; security groups are in force with its commit
// (NetworkEffects), type and user data with the next start.
#include <fmt/format.h>

#include <algorithm>

#include "control/ec2_impl.hpp"
#include "control/references.hpp"
#include "model/instance_types.hpp"
#include "model/limits.hpp"

namespace weir::control {
namespace {

using model::InstanceState;

std::string known_types() {
  std::vector<std::string_view> names;
  for (const model::InstanceType& type : model::instance_types()) names.push_back(type.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Status check(const ModifyInstanceInput& input) {
  if (input.type) {
    if (auto valid = check_instance_type(*input.type); !valid) return valid;
  }
  if (input.user_data) {
    if (auto valid = check_user_data(*input.user_data); !valid) return valid;
  }
  if (input.shutdown_behavior) return check_shutdown_behavior(*input.shutdown_behavior);
  return {};
}

// Type and user data are those of a machine that is off.
Status check_state(const model::Instance& instance, const ModifyInstanceInput& input) {
  if (instance.state == InstanceState::terminated ||
      instance.state == InstanceState::shutting_down) {
    return fail("IncorrectInstanceState",
                fmt::format("The instance '{}' is not in a state from which it can be modified.",
                            instance.id));
  }
  if ((input.type || input.user_data) && instance.state != InstanceState::stopped) {
    return fail("IncorrectInstanceState",
                fmt::format("The instance '{}' is not in the 'stopped' state.", instance.id));
  }
  return {};
}

Status apply_type(model::Instance& instance, const ModifyInstanceInput& input) {
  if (input.type) instance.type = *input.type;
  if (!input.type && !input.cpu_credits) return {};
  // A type without credits has none, whatever the type before had.
  auto credits = cpu_credits_of(instance.type, input.cpu_credits.value_or(""));
  if (!credits) return std::unexpected(credits.error());
  instance.cpu_credits = std::move(*credits);
  return {};
}

void apply_rest(model::Instance& instance, const ModifyInstanceInput& input) {
  const auto set = [](auto& member, const auto& wanted) {
    if (wanted) member = *wanted;
  };
  set(instance.user_data, input.user_data);
  set(instance.disable_api_termination, input.disable_api_termination);
  set(instance.disable_api_stop, input.disable_api_stop);
  set(instance.shutdown_behavior, input.shutdown_behavior);
  set(instance.source_dest_check, input.source_dest_check);
  set(instance.ebs_optimized, input.ebs_optimized);
  set(instance.detailed_monitoring, input.detailed_monitoring);
}

}  // namespace

Status check_instance_type(const std::string& type) {
  if (model::find_instance_type(type) != nullptr) return {};
  return fail("InvalidParameterValue",
              fmt::format("Invalid value '{}' for InstanceType.", type.substr(0, 100)),
              "Weir knows " + known_types() + ".");
}

Status check_user_data(const std::string& user_data) {
  if (user_data.size() <= model::limits::user_data_bytes_max) return {};
  return fail("InvalidParameterValue",
              fmt::format("User data is limited to {} bytes, this has {}",
                          model::limits::user_data_bytes_max, user_data.size()));
}

Status check_shutdown_behavior(const std::string& behavior) {
  if (behavior == "stop" || behavior == "terminate") return {};
  return fail("InvalidParameterValue",
              fmt::format("Invalid value '{}' for InstanceInitiatedShutdownBehavior",
                          behavior.substr(0, 100)));
}

Result<std::string> cpu_credits_of(const std::string& type, const std::string& wanted) {
  const model::InstanceType* found = model::find_instance_type(type);
  const bool is_burstable = found != nullptr && found->is_burstable;
  if (wanted.empty()) {
    if (!is_burstable) return std::string();
    return std::string(type.starts_with("t2.") ? "standard" : "unlimited");
  }
  if (wanted != "standard" && wanted != "unlimited") {
    return fail("InvalidParameterValue", "CpuCredits must be 'standard' or 'unlimited'");
  }
  if (!is_burstable) {
    return fail("InvalidParameterCombination",
                fmt::format("The instance type '{}' has no CPU credits", type));
  }
  return wanted;
}

Result<std::vector<std::string>> find_groups(const State& state, const std::string& vpc_id,
                                             const std::vector<std::string>& ids) {
  if (ids.empty()) {
    const model::SecurityGroup* group = default_security_group(state, vpc_id);
    if (group == nullptr) {
      return fail("InvalidGroup.NotFound",
                  fmt::format("The VPC '{}' has no default security group", vpc_id));
    }
    return std::vector<std::string>{group->id};
  }
  std::vector<std::string> unique;
  for (const std::string& id : ids) {
    const auto found = state.security_groups.find(id);
    if (found == state.security_groups.end() || found->second.vpc_id != vpc_id) {
      return fail("InvalidGroup.NotFound",
                  fmt::format("The security group '{}' does not exist in VPC '{}'", id, vpc_id));
    }
    if (std::ranges::find(unique, id) == unique.end()) unique.push_back(id);
  }
  return unique;
}

Status Ec2::modify_instance(const std::string& id, const ModifyInstanceInput& input) {
  if (auto valid = check(input); !valid) return valid;
  return impl_->registry.update([&](Draft& draft) -> Status {
    if (auto valid = check_instance_ids(draft.state(), {id}); !valid) return valid;
    model::Instance instance = draft.state().instances.at(id);
    if (auto valid = check_state(instance, input); !valid) return valid;
    if (auto done = apply_type(instance, input); !done) return done;
    apply_rest(instance, input);
    if (input.security_group_ids) {
      auto groups = find_groups(draft.state(), instance.vpc_id, *input.security_group_ids);
      if (!groups) return std::unexpected(groups.error());
      instance.security_group_ids = std::move(*groups);
    }
    draft.put(std::move(instance));
    return {};
  });
}

Result<std::string> Ec2::console_output(const std::string& id, std::size_t bytes_max) {
  Status valid;
  bool is_gone = false;
  impl_->registry.read([&](const State& state) {
    valid = check_instance_ids(state, {id});
    is_gone = valid && state.instances.at(id).state == InstanceState::terminated;
  });
  if (!valid) return std::unexpected(valid.error());
  if (is_gone) return std::string();
  return impl_->compute.console_output(id, bytes_max);
}

}  // namespace weir::control
