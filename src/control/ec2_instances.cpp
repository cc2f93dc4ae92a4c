// The verbs on instances: validation and intent (reference §9.2, §9.3). The work follows in jobs.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "control/addresses.hpp"
#include "control/ec2_impl.hpp"
#include "control/references.hpp"
#include "model/limits.hpp"
#include "model/names.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

using model::InstanceState;

std::string join(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

Status validate(const RunInstancesInput& input) {
  if (input.image_id.empty()) {
    return fail("MissingParameter", "The request must contain the parameter ImageId");
  }
  if (!model::is_ec2_id(input.image_id, "ami-")) {
    return fail("InvalidAMIID.Malformed", fmt::format("Invalid id: \"{}\" (expecting \"ami-...\")",
                                                      input.image_id.substr(0, 100)));
  }
  if (auto valid = check_instance_type(input.type); !valid) return valid;
  if (input.count < 1 || input.count > model::limits::instances_per_call_max) {
    return fail("InvalidParameterValue",
                fmt::format("The number of instances must be between 1 and {}, not {}",
                            model::limits::instances_per_call_max, input.count));
  }
  if (input.min_count < 0 || input.min_count > input.count) {
    return fail("InvalidParameterCombination", "MinCount must not be greater than MaxCount");
  }
  if (auto valid = check_user_data(input.user_data); !valid) return valid;
  if (auto valid = check_shutdown_behavior(input.shutdown_behavior); !valid) return valid;
  if (!input.private_ip.empty() && input.count != 1) {
    return fail("InvalidParameterCombination",
                "A private IP address can be given for a single instance only");
  }
  for (const model::Tags* tags : {&input.tags, &input.volume_tags, &input.network_interface_tags}) {
    if (auto valid = model::validate_tags(*tags); !valid) return valid;
  }
  return {};
}

// Of the default subnets those of the first two zones, where load balancers usually have their
// nodes; of these the one with the fewest instances.
Result<const model::Subnet*> choose_subnet(const State& state) {
  constexpr std::size_t zones = 2;
  std::map<std::string, const model::Subnet*> by_zone;
  for (const auto& [id, subnet] : state.subnets) {
    if (subnet.is_default_for_zone) by_zone[subnet.zone] = &subnet;
  }
  if (by_zone.empty()) return fail("VPCIdNotSpecified", "No default VPC for this user");
  std::map<std::string, int> counts;
  for (const auto& [id, instance] : state.instances) {
    if (instance.state != InstanceState::terminated) ++counts[instance.subnet_id];
  }
  const model::Subnet* best = nullptr;
  std::size_t looked_at = 0;
  for (const auto& [zone, subnet] : by_zone) {
    if (++looked_at > zones) break;
    if (best == nullptr || counts[subnet->id] < counts[best->id]) best = subnet;
  }
  return best;
}

Result<const model::Subnet*> find_subnet(const State& state, const std::string& id) {
  const auto found = state.subnets.find(id);
  if (found == state.subnets.end()) {
    return fail("InvalidSubnetID.NotFound", fmt::format("The subnet ID '{}' does not exist", id));
  }
  return &found->second;
}

// Locally administered, and derived from the address: unique where that is.
std::string mac_of(const std::string& private_ip) {
  const std::uint32_t value = model::Ipv4::parse(private_ip)->value();
  return fmt::format("02:42:{:02x}:{:02x}:{:02x}:{:02x}", value >> 24U, value >> 16U & 255U,
                     value >> 8U & 255U, value & 255U);
}

std::string dns_name_of(const std::string& private_ip, const std::string& region) {
  std::string name = "ip-" + private_ip;
  std::ranges::replace(name, '.', '-');
  return name + (region == "us-east-1" ? ".ec2.internal" : "." + region + ".compute.internal");
}

Result<std::string> take_address(const State& state, const model::Subnet& subnet,
                                 const std::string& wanted) {
  const auto address = model::Ipv4::parse(wanted);
  const auto range = model::Cidr::parse(subnet.cidr);
  if (!address || !range || !range->contains(*address)) {
    return fail("InvalidParameterValue", fmt::format("Address {} does not fall within the subnet's "
                                                     "address range",
                                                     wanted.substr(0, 100)));
  }
  if (!FreeAddresses(state, subnet).is_free(*address)) {
    return fail("InvalidIPAddress.InUse", fmt::format("Address {} is in use.", wanted));
  }
  return address->to_string();
}

Status run_one(Draft& draft, const RunInstancesInput& input, const std::string& region,
               model::Instance instance, std::vector<model::Instance>& out) {
  const State& state = draft.state();
  const auto subnet =
      input.subnet_id.empty() ? choose_subnet(state) : find_subnet(state, input.subnet_id);
  if (!subnet) return std::unexpected(subnet.error());
  auto groups = find_groups(state, (*subnet)->vpc_id, input.security_group_ids);
  if (!groups) return std::unexpected(groups.error());
  auto address = input.private_ip.empty() ? FreeAddresses(state, **subnet).take()
                                          : take_address(state, **subnet, input.private_ip);
  if (!address) return std::unexpected(address.error());
  instance.id = make_ec2_id("i-");
  instance.root_volume_id = make_ec2_id("vol-");
  instance.network_interface_id = make_ec2_id("eni-");
  instance.vpc_id = (*subnet)->vpc_id;
  instance.subnet_id = (*subnet)->id;
  instance.zone = (*subnet)->zone;
  instance.private_ip = std::move(*address);
  instance.mac = mac_of(instance.private_ip);
  instance.private_dns_name = dns_name_of(instance.private_ip, region);
  instance.security_group_ids = std::move(*groups);
  out.push_back(instance);
  draft.put(std::move(instance));
  return {};
}

std::unexpected<Error> wrong_state(const std::string& id, std::string_view verb) {
  return fail(
      "IncorrectInstanceState",
      fmt::format("The instance '{}' is not in a state from which it can be {}.", id, verb));
}

std::unexpected<Error> is_protected(const std::string& id, std::string_view verb,
                                    std::string_view attribute) {
  return fail("OperationNotPermitted",
              fmt::format("The instance '{}' may not be {}. Modify its 'disableApi{}' instance "
                          "attribute and try again.",
                          id, verb, attribute));
}

std::string now_gmt() {
  std::string text = iso8601(wall_ms()).substr(0, 19);
  text[10] = ' ';
  return text;
}

model::StateReason user_initiated() {
  return {"Client.UserInitiatedShutdown",
          fmt::format("Client.UserInitiatedShutdown: User initiated shutdown ({} GMT)", now_gmt())};
}

// A stop or termination that has failed leaves its reason on an instance that is not ended.
bool has_failed(const model::Instance& instance) {
  return instance.state_reason.code == "Server.InternalError";
}

// The instance can still get to `goal` without another call, or by one that others may make.
bool can_reach(const model::Instance& instance, InstanceState goal) {
  const bool is_ending = instance.state == InstanceState::shutting_down;
  const bool is_ended = instance.state == InstanceState::terminated;
  switch (goal) {
    case InstanceState::running:
      return instance.state == InstanceState::pending;
    case InstanceState::terminated:
      return !(is_ending && has_failed(instance));
    case InstanceState::stopped:
      return !is_ending && !is_ended &&
             !(instance.state == InstanceState::running && has_failed(instance));
    default:
      return !is_ending && !is_ended;
  }
}

}  // namespace

Ec2::Ec2(Registry& registry, compute::Compute& compute)
    : impl_(std::make_unique<Impl>(registry, compute)) {}
Ec2::~Ec2() = default;

Status check_instance_ids(const State& state, const std::vector<std::string>& ids) {
  if (ids.empty()) {
    return fail("MissingParameter", "The request must contain the parameter InstanceId");
  }
  std::vector<std::string> missing;
  for (const std::string& id : ids) {
    if (!model::is_ec2_id(id, "i-")) {
      return fail("InvalidInstanceID.Malformed",
                  fmt::format("Invalid id: \"{}\"", id.substr(0, 100)));
    }
    if (!state.instances.contains(id)) missing.push_back(id);
  }
  if (missing.empty()) return {};
  const bool is_one = missing.size() == 1;
  return fail("InvalidInstanceID.NotFound",
              fmt::format("The instance ID{} '{}' {} not exist", is_one ? "" : "s", join(missing),
                          is_one ? "does" : "do"));
}

namespace {

// What all instances of a call have in common.
Result<model::Instance> common_of(const RunInstancesInput& input) {
  auto credits = cpu_credits_of(input.type, input.cpu_credits);
  if (!credits) return std::unexpected(credits.error());
  model::Instance common;
  common.reservation_id = make_ec2_id("r-");
  common.image_id = input.image_id;
  common.type = input.type;
  common.key_name = input.key_name;
  common.user_data = input.user_data;
  common.launch_time_ms = wall_ms();
  common.client_token = input.client_token;
  common.client_token_digest = input.client_token_digest;
  common.disable_api_termination = input.disable_api_termination;
  common.disable_api_stop = input.disable_api_stop;
  common.shutdown_behavior = input.shutdown_behavior;
  common.detailed_monitoring = input.detailed_monitoring;
  common.ebs_optimized = input.ebs_optimized;
  common.metadata_tokens_required = input.metadata_tokens_required;
  common.cpu_credits = std::move(*credits);
  common.tags = input.tags;
  common.volume_tags = input.volume_tags;
  common.network_interface_tags = input.network_interface_tags;
  return common;
}

// Kept with the instance: a key pair may be deleted while instances still have its key.
Result<std::string> public_key_of(const State& state, const std::string& key_name) {
  if (key_name.empty()) return std::string();
  for (const auto& [id, pair] : state.key_pairs) {
    if (pair.name == key_name) return pair.public_key;
  }
  return fail("InvalidKeyPair.NotFound",
              fmt::format("The key pair '{}' does not exist", key_name.substr(0, 255)));
}

// What an earlier call with this token has launched; so a caller that has not heard its answer
// gets no second instance, not even from the next daemon.
Result<std::vector<model::Instance>> launched_before(const State& state,
                                                     const RunInstancesInput& input) {
  std::vector<model::Instance> found;
  if (input.client_token.empty()) return found;
  for (const auto& [id, instance] : state.instances) {
    if (instance.client_token != input.client_token) continue;
    if (instance.client_token_digest != input.client_token_digest) {
      return fail("IdempotentParameterMismatch",
                  "Arguments on this idempotent request are inconsistent with arguments used in "
                  "previous request(s).");
    }
    found.push_back(instance);
  }
  std::ranges::sort(found, {}, &model::Instance::launch_index);
  return found;
}

}  // namespace

Result<std::vector<model::Instance>> Ec2::run_instances(const RunInstancesInput& input) {
  if (auto valid = validate(input); !valid) return std::unexpected(valid.error());
  auto common = common_of(input);
  if (!common) return std::unexpected(common.error());

  const int needed = input.min_count == 0 ? input.count : input.min_count;
  std::vector<model::Instance> before;
  std::vector<model::Instance> instances;
  const auto stored = impl_->registry.update([&](Draft& draft) -> Status {
    auto earlier = launched_before(draft.state(), input);
    if (!earlier) return std::unexpected(earlier.error());
    before = std::move(*earlier);
    if (!before.empty()) return {};
    auto key = public_key_of(draft.state(), input.key_name);
    if (!key) return std::unexpected(key.error());
    common->public_key = std::move(*key);
    for (int index = 0; index < input.count; ++index) {
      common->launch_index = index;
      if (auto done = run_one(draft, input, impl_->registry.region(), *common, instances); !done) {
        if (index < needed) return done;
        break;
      }
    }
    return {};
  });
  if (!stored) return std::unexpected(stored.error());
  if (!before.empty()) return before;
  for (const model::Instance& instance : instances) impl_->add_launch(instance.id);
  return instances;
}

Status Ec2::terminate_instances(const std::vector<std::string>& ids) {
  std::vector<std::string> changed;
  const auto stored = impl_->registry.update([&](Draft& draft) -> Status {
    if (auto valid = check_instance_ids(draft.state(), ids); !valid) return valid;
    for (const std::string& id : std::set<std::string>(ids.begin(), ids.end())) {
      model::Instance instance = draft.state().instances.at(id);
      if (instance.state == InstanceState::terminated) continue;
      // One whose termination has failed is tried again.
      const bool is_under_way =
          instance.state == InstanceState::shutting_down && !has_failed(instance);
      if (is_under_way) continue;
      if (instance.disable_api_termination) return is_protected(id, "terminated", "Termination");
      instance.state = InstanceState::shutting_down;
      instance.state_reason = user_initiated();
      draft.put(std::move(instance));
      changed.push_back(id);
    }
    return {};
  });
  if (!stored) return stored;
  for (const std::string& id : changed) impl_->add_terminate(id);
  return {};
}

Status Ec2::stop_instances(const std::vector<std::string>& ids) {
  std::vector<std::string> changed;
  const auto stored = impl_->registry.update([&](Draft& draft) -> Status {
    if (auto valid = check_instance_ids(draft.state(), ids); !valid) return valid;
    for (const std::string& id : std::set<std::string>(ids.begin(), ids.end())) {
      model::Instance instance = draft.state().instances.at(id);
      if (instance.state == InstanceState::stopped || instance.state == InstanceState::stopping) {
        continue;
      }
      if (instance.state != InstanceState::running) return wrong_state(id, "stopped");
      if (instance.disable_api_stop) return is_protected(id, "stopped", "Stop");
      instance.state = InstanceState::stopping;
      instance.state_reason = user_initiated();
      draft.put(std::move(instance));
      changed.push_back(id);
    }
    return {};
  });
  if (!stored) return stored;
  for (const std::string& id : changed) impl_->add_stop(id);
  return {};
}

Status Ec2::start_instances(const std::vector<std::string>& ids) {
  std::set<std::string> unique(ids.begin(), ids.end());
  const auto stored = impl_->registry.update([&](Draft& draft) -> Status {
    if (auto valid = check_instance_ids(draft.state(), ids); !valid) return valid;
    for (const std::string& id : unique) {
      model::Instance instance = draft.state().instances.at(id);
      if (instance.state != InstanceState::stopped) return wrong_state(id, "started");
      instance.state = InstanceState::pending;
      instance.state_reason = {};
      instance.launch_time_ms = wall_ms();
      draft.put(std::move(instance));
    }
    return {};
  });
  if (!stored) return stored;
  for (const std::string& id : unique) impl_->add_launch(id);
  return {};
}

Status Ec2::reboot_instances(const std::vector<std::string>& ids) {
  std::vector<std::string> wanted;
  const auto stored = impl_->registry.update([&](Draft& draft) -> Status {
    if (auto valid = check_instance_ids(draft.state(), ids); !valid) return valid;
    for (const std::string& id : std::set<std::string>(ids.begin(), ids.end())) {
      model::Instance instance = draft.state().instances.at(id);
      if (instance.state == InstanceState::terminated) continue;
      if (instance.state != InstanceState::running) return wrong_state(id, "rebooted");
      instance.state_reason = {rebooting, "Client.UserInitiatedReboot: the instance is rebooting"};
      draft.put(std::move(instance));
      wanted.push_back(id);
    }
    return {};
  });
  if (!stored) return stored;
  for (const std::string& id : wanted) impl_->add_reboot(id);
  return {};
}

Status Ec2::wait_for(const std::string& id, InstanceState state,
                     std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  InstanceSignal& signal = *impl_->signal;
  while (true) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(signal.mutex);
      seen = signal.generation;
    }
    std::optional<model::Instance> instance;
    impl_->registry.read([&](const State& now) {
      if (const auto found = now.instances.find(id); found != now.instances.end()) {
        instance = found->second;
      }
    });
    if (!instance) {
      if (state == InstanceState::terminated) return {};
      return fail("InvalidInstanceID.NotFound",
                  fmt::format("The instance ID '{}' does not exist", id));
    }
    if (instance->state == state) return {};
    if (!can_reach(*instance, state)) {
      return fail("InstanceFailed", fmt::format("{} is {}: {}", id, model::name_of(instance->state),
                                                instance->state_reason.message));
    }
    std::unique_lock lock(signal.mutex);
    if (!signal.changed.wait_until(lock, deadline, [&] { return signal.generation != seen; })) {
      return fail("Timeout", fmt::format("{} is still {} after {} s", id,
                                         model::name_of(instance->state), timeout.count() / 1000));
    }
  }
}

}  // namespace weir::control
