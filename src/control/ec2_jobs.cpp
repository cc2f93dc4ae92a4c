// The work behind the verbs: each job takes an instance from one state to the next through compute
// and stores the outcome. A job looks at the state first, since the instance may have been asked
// for something else meanwhile.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "control/ec2_impl.hpp"
#include "control/resolve.hpp"

namespace weir::control {
namespace {

using model::InstanceState;

// How long an instance may take to end by itself.
constexpr int stop_grace_ms = 10'000;

// A launch is mostly the OCI runtime's processor time (reference platform §1).
std::size_t threads_max() { return 2 * std::max(1U, std::thread::hardware_concurrency()); }

// Errors of the caller's making keep their code, with EC2's "Client." before it.
model::StateReason reason_of(const Error& error) {
  const bool is_clients = error.code.starts_with("Invalid");
  std::string message = error.message;
  if (!error.hint.empty()) message += " " + error.hint;
  return {is_clients ? "Client." + error.code : "Server.InternalError", std::move(message)};
}

model::StateReason exit_reason(int exit_status) {
  if (exit_status == 0) {
    return {"Client.InstanceInitiatedShutdown",
            "Client.InstanceInitiatedShutdown: Instance initiated shutdown"};
  }
  if (exit_status < 0) {
    return {"Server.InternalError", "Server.InternalError: the instance ended unexpectedly"};
  }
  return {"Server.InternalError",
          fmt::format("Server.InternalError: the instance ended unexpectedly, with status {}",
                      exit_status)};
}

}  // namespace

Ec2::Impl::Impl(Registry& registry_in, compute::Compute& compute_in)
    : registry(registry_in),
      compute(compute_in),
      effects(registry, compute, metadata),
      jobs(threads_max()) {
  registry.subscribe([signal = signal](const State&, const Changed& changed) {
    if (changed.instances.empty()) return;
    const std::lock_guard lock(signal->mutex);
    ++signal->generation;
    signal->changed.notify_all();
  });
  gate->ec2 = this;
  compute.on_exit([gate = gate](const std::string& id, int exit_status) {
    const std::lock_guard lock(gate->mutex);
    if (gate->ec2 != nullptr) gate->ec2->on_exit(id, exit_status);
  });
}

Ec2::Impl::~Impl() {
  const std::lock_guard lock(gate->mutex);
  gate->ec2 = nullptr;
}

void Ec2::Impl::add_launch(const std::string& id) {
  jobs.add(id, [this, id] { launch(id); });
}
void Ec2::Impl::add_stop(const std::string& id) {
  jobs.add(id, [this, id] { stop(id); });
}
void Ec2::Impl::add_terminate(const std::string& id) {
  jobs.add(id, [this, id] { terminate(id); });
}
void Ec2::Impl::add_reboot(const std::string& id) {
  jobs.add(id, [this, id] { reboot(id); });
}
void Ec2::Impl::add_exited(const std::string& id, int exit_status) {
  jobs.add(id, [this, id, exit_status] { exited(id, exit_status); });
}

bool Ec2::Impl::change_from(const std::string& id, InstanceState state,
                            const std::function<void(model::Instance&)>& change) {
  bool was_in_state = false;
  const auto stored = registry.update([&](Draft& draft) -> Status {
    const auto found = draft.state().instances.find(id);
    was_in_state = found != draft.state().instances.end() && found->second.state == state;
    if (!was_in_state) return {};
    model::Instance instance = found->second;
    change(instance);
    draft.put(std::move(instance));
    return {};
  });
  if (!stored) log::error("the state of {} cannot be stored: {}", id, stored.error().message);
  return was_in_state && stored.has_value();
}

Status Ec2::Impl::bring_up(const std::string& id) {
  compute::InstanceSpec spec;
  compute::MetadataDocument document;
  bool is_there = false;
  registry.read([&](const State& state) {
    const auto found = state.instances.find(id);
    if (found == state.instances.end()) return;
    is_there = true;
    spec = make_spec(state, found->second);
    document = make_document(state, found->second, registry.region(), registry.account());
  });
  if (!is_there) return fail("InvalidInstanceID.NotFound", "the instance is gone");
  auto socket = compute.launch(spec);
  if (!socket) return std::unexpected(socket.error());
  metadata.add(id, std::move(*socket), std::move(document));
  effects.launched(id, std::move(spec.firewall));
  return {};
}

void Ec2::Impl::take_down(const std::string& id) {
  metadata.remove(id);
  effects.ended(id);
}

bool Ec2::Impl::is_running(const std::string& id) {
  const auto running = compute.running();
  return running &&
         std::ranges::find(*running, id, &compute::RunningInstance::id) != running->end();
}

void Ec2::Impl::launch(const std::string& id) {
  bool is_wanted = false;
  bool is_first_boot = true;
  registry.read([&](const State& state) {
    const auto found = state.instances.find(id);
    if (found == state.instances.end()) return;
    is_wanted = found->second.state == InstanceState::pending;
    is_first_boot = !found->second.user_data_done;
  });
  if (!is_wanted) return;

  const auto up = bring_up(id);
  if (up) {
    change_from(id, InstanceState::pending, [](model::Instance& instance) {
      instance.state = InstanceState::running;
      instance.state_reason = {};
      instance.user_data_done = true;
    });
    return;
  }
  log::error("{} cannot be launched: {}", id, up.error().message);
  change_from(id, InstanceState::pending, [&](model::Instance& instance) {
    instance.state_reason = reason_of(up.error());
    // What has run before keeps its file system and can be started again.
    instance.state = is_first_boot ? InstanceState::terminated : InstanceState::stopped;
    if (is_first_boot) instance.terminated_at_ms = wall_ms();
  });
}

void Ec2::Impl::stop(const std::string& id) {
  const auto stopped = compute.stop(id, stop_grace_ms);
  if (!stopped && is_running(id)) {
    log::error("{} cannot be stopped: {}", id, stopped.error().message);
    change_from(id, InstanceState::stopping, [&](model::Instance& instance) {
      instance.state = InstanceState::running;
      instance.state_reason = reason_of(stopped.error());
    });
    return;
  }
  take_down(id);
  change_from(id, InstanceState::stopping,
              [](model::Instance& instance) { instance.state = InstanceState::stopped; });
}

void Ec2::Impl::terminate(const std::string& id) {
  take_down(id);
  const auto gone = compute.terminate(id);
  if (!gone && is_running(id)) {
    // It stays in shutting-down: terminating it again, or the next daemon start, tries again.
    log::error("{} cannot be terminated: {}", id, gone.error().message);
    change_from(id, InstanceState::shutting_down, [&](model::Instance& instance) {
      instance.state_reason = {"Server.InternalError", gone.error().message};
    });
    return;
  }
  if (!gone) log::warn("{} has left something behind: {}", id, gone.error().message);
  change_from(id, InstanceState::shutting_down, [](model::Instance& instance) {
    instance.state = InstanceState::terminated;
    instance.terminated_at_ms = wall_ms();
    instance.user_data.clear();
  });
}

void Ec2::Impl::reboot(const std::string& id) {
  bool is_wanted = false;
  registry.read([&](const State& state) {
    const auto found = state.instances.find(id);
    is_wanted = found != state.instances.end() && found->second.state == InstanceState::running;
  });
  if (!is_wanted) return;
  if (const auto stopped = compute.stop(id, stop_grace_ms); !stopped && is_running(id)) {
    log::error("{} cannot be rebooted: {}", id, stopped.error().message);
    change_from(id, InstanceState::running, [&](model::Instance& instance) {
      instance.state_reason = reason_of(stopped.error());
    });
    return;
  }
  take_down(id);
  const auto up = bring_up(id);
  if (!up) log::error("{} did not come up again: {}", id, up.error().message);
  change_from(id, InstanceState::running, [&](model::Instance& instance) {
    instance.state_reason = up ? model::StateReason{} : reason_of(up.error());
    if (!up) instance.state = InstanceState::stopped;
  });
}

void Ec2::Impl::on_exit(const std::string& id, int exit_status) {
  if (id.empty()) {
    log::error("the holder of the instances has ended; looking for those that have ended with it");
    all_exited();
    return;
  }
  add_exited(id, exit_status);
}

void Ec2::Impl::all_exited() {
  std::vector<std::string> ids;
  registry.read([&](const State& state) {
    for (const auto& [id, instance] : state.instances) {
      if (instance.state == InstanceState::running) ids.push_back(id);
    }
  });
  for (const std::string& id : ids) add_exited(id, -1);
}

void Ec2::Impl::exited(const std::string& id, int exit_status) {
  // Since the event it may have been launched again.
  if (is_running(id)) return;
  bool is_to_terminate = false;
  const bool was_running = change_from(id, InstanceState::running, [&](model::Instance& instance) {
    is_to_terminate = exit_status == 0 && instance.shutdown_behavior == "terminate";
    instance.state = is_to_terminate ? InstanceState::shutting_down : InstanceState::stopped;
    instance.state_reason = exit_reason(exit_status);
  });
  if (!was_running) return;
  if (is_to_terminate) return terminate(id);
  take_down(id);
  log::warn("{} has ended by itself, with status {}", id, exit_status);
  // Lets compute give back what it holds for it; that it has ended already is no error to us.
  static_cast<void>(compute.stop(id, 0));
}

}  // namespace weir::control
