// What the files of Ec2 share.
//
// ec2_instances.cpp: the verbs, intent only. ec2_attributes.cpp: what is
// checked of an instance, and its changes. ec2_jobs.cpp: the work that follows, on KeyedJobs, and
// what an instance's end means. ec2_adopt.cpp: after a daemon start. ec2_vpc.cpp: the default VPC.
// ec2_security_groups.cpp: groups. ec2_key_pairs.cpp: key pairs.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "compute/compute.hpp"
#include "compute/metadata.hpp"
#include "control/ec2.hpp"
#include "control/keyed_jobs.hpp"
#include "control/network_effects.hpp"
#include "control/registry.hpp"

namespace weir::control {

// The state reason of an instance that is being rebooted: it stays running, and a daemon that ends
// meanwhile leaves word of it to the next.
inline constexpr const char* rebooting = "Client.UserInitiatedReboot";

// Woken by commits that change instances; shared with the subscription, which outlives Ec2.
struct InstanceSignal {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t generation = 0;
};

// Where Compute's exit events go; empty once Ec2 has ended.
struct ExitGate {
  std::mutex mutex;
  Ec2::Impl* ec2 = nullptr;
};

struct Ec2::Impl {
  Impl(Registry& registry_in, compute::Compute& compute_in);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // ---- jobs; each runs on a thread of KeyedJobs, for an instance whose state asks for it
  void launch(const std::string& id);
  void stop(const std::string& id);
  void terminate(const std::string& id);
  void reboot(const std::string& id);
  void exited(const std::string& id, int exit_status);

  // Enqueue them.
  void add_launch(const std::string& id);
  void add_stop(const std::string& id);
  void add_terminate(const std::string& id);
  void add_reboot(const std::string& id);
  void add_exited(const std::string& id, int exit_status);

  // Compute's exit event; an empty id means the holder.
  void on_exit(const std::string& id, int exit_status);
  void all_exited();

  // Launches with what the state says now; the metadata service answers when it returns.
  Status bring_up(const std::string& id);
  // Afterwards nothing is told or enforced for the instance any more.
  void take_down(const std::string& id);
  [[nodiscard]] bool is_running(const std::string& id);

  // Applies `change` to the instance if it (still) is in `state`; returns whether it was.
  bool change_from(const std::string& id, model::InstanceState state,
                   const std::function<void(model::Instance&)>& change);

  Registry& registry;
  compute::Compute& compute;
  compute::MetadataServer metadata;
  NetworkEffects effects;
  std::shared_ptr<InstanceSignal> signal = std::make_shared<InstanceSignal>();
  std::shared_ptr<ExitGate> gate = std::make_shared<ExitGate>();
  // Last, so that it ends first: its jobs use everything above.
  KeyedJobs jobs;
};

// "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound": the first that is wrong.
Status check_instance_ids(const State& state, const std::vector<std::string>& ids);

// "InvalidParameterValue" where Weir has no such type.
Status check_instance_type(const std::string& type);
// "InvalidParameterValue": of 16 KiB at most.
Status check_user_data(const std::string& user_data);
Status check_shutdown_behavior(const std::string& behavior);
// What a type has where the caller says `wanted`; empty: its default.
Result<std::string> cpu_credits_of(const std::string& type, const std::string& wanted);
// The groups, each once; none: the VPC's default group. "InvalidGroup.NotFound".
Result<std::vector<std::string>> find_groups(const State& state, const std::string& vpc_id,
                                             const std::vector<std::string>& ids);

}  // namespace weir::control
