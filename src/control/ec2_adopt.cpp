// After a daemon start: the stored instances against those that still run.
//
// The store says what was asked for, compute what is. Where the daemon ended in the middle of a
// transition, the transition is carried on; where an instance ended unseen, it is stopped.
#include <fmt/format.h>

#include <map>

#include "base/log.hpp"
#include "control/ec2_impl.hpp"
#include "control/resolve.hpp"

namespace weir::control {
namespace {

using model::InstanceState;

constexpr const char* died_unseen =
    "Server.InternalError: the instance ended while the daemon was not running";

// Its metadata service again, and its security groups, which NetworkEffects applies anew.
void adopt_running(Ec2::Impl& ec2, const std::string& id) {
  auto socket = ec2.compute.metadata_socket(id);
  if (!socket) {
    log::error("the metadata service of {} cannot be resumed: {}", id, socket.error().message);
    return;
  }
  compute::MetadataDocument document;
  ec2.registry.read([&](const State& state) {
    document =
        make_document(state, state.instances.at(id), ec2.registry.region(), ec2.registry.account());
  });
  ec2.metadata.add(id, std::move(*socket), std::move(document));
}

void adopt_one(Ec2::Impl& ec2, const model::Instance& instance, bool is_running) {
  const std::string& id = instance.id;
  switch (instance.state) {
    case InstanceState::pending:
      if (is_running) {
        adopt_running(ec2, id);
        ec2.change_from(id, InstanceState::pending, [](model::Instance& launched) {
          launched.state = InstanceState::running;
          launched.state_reason = {};
          launched.user_data_done = true;
        });
        return;
      }
      // A first boot begins anew, on nothing that a half-made one may have left.
      if (!instance.user_data_done) static_cast<void>(ec2.compute.terminate(id));
      ec2.add_launch(id);
      return;
    case InstanceState::running:
      if (is_running) adopt_running(ec2, id);
      if (instance.state_reason.code == rebooting) return ec2.add_reboot(id);
      if (is_running) return;
      log::warn("{} has ended while the daemon was not running", id);
      ec2.change_from(id, InstanceState::running, [](model::Instance& dead) {
        dead.state = InstanceState::stopped;
        dead.state_reason = {"Server.InternalError", died_unseen};
      });
      // Lets compute give back what it holds for it.
      static_cast<void>(ec2.compute.stop(id, 0));
      return;
    case InstanceState::stopping:
      return ec2.add_stop(id);
    case InstanceState::shutting_down:
      return ec2.add_terminate(id);
    case InstanceState::stopped:
    case InstanceState::terminated:
      if (!is_running) return;
      log::warn("{} runs although it is {}; it is ended", id,
                instance.state == InstanceState::stopped ? "stopped" : "terminated");
      static_cast<void>(instance.state == InstanceState::stopped ? ec2.compute.stop(id, 0)
                                                                 : ec2.compute.terminate(id));
      return;
  }
}

}  // namespace

Status Ec2::adopt() {
  const auto running = impl_->compute.running();
  if (!running) return std::unexpected(running.error());
  std::map<std::string, bool> is_known;  // of those that run
  for (const compute::RunningInstance& instance : *running) is_known[instance.id] = false;

  std::map<std::string, model::Instance> stored;
  impl_->registry.read([&](const State& state) { stored = state.instances; });
  for (const auto& [id, instance] : stored) {
    const auto found = is_known.find(id);
    if (found != is_known.end()) found->second = true;
    adopt_one(*impl_, instance, found != is_known.end());
  }
  for (const auto& [id, known] : is_known) {
    if (known) continue;
    log::warn("{} runs but is not in the store; it is ended", id);
    static_cast<void>(impl_->compute.terminate(id));
  }
  return {};
}

}  // namespace weir::control
