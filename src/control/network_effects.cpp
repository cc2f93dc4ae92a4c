#include "control/network_effects.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "control/resolve.hpp"

namespace weir::control {

struct NetworkEffects::Impl {
  Impl(Registry& registry_in, compute::Compute& compute_in, compute::MetadataServer& metadata_in)
      : registry(registry_in), compute(compute_in), metadata(metadata_in) {}

  // What should be in force, read at one moment.
  struct Wanted {
    std::map<std::string, compute::Firewall> firewalls;          // of running instances
    std::map<std::string, compute::MetadataDocument> documents;  // of those that have changed
    std::vector<std::string> nodes;
    std::vector<std::string> provisioning;  // load balancers
  };

  void run();
  void apply(const std::set<std::string>& changed_instances);
  [[nodiscard]] Wanted read(const std::set<std::string>& changed_instances) const;
  void apply_nodes(const Wanted& wanted);
  void apply_firewall(const std::string& id, const compute::Firewall& firewall);
  void settle(const std::vector<std::string>& load_balancers, const Status& outcome);

  Registry& registry;
  compute::Compute& compute;
  compute::MetadataServer& metadata;

  std::mutex mutex;
  std::condition_variable woken;
  bool has_begun = false;
  bool is_dirty = false;
  bool is_ending = false;
  std::set<std::string> changed_instances;
  std::map<std::string, compute::Firewall> in_force;  // by instance

  // The thread's own.
  std::optional<std::vector<std::string>> nodes_in_force;
  std::thread thread;
};

NetworkEffects::NetworkEffects(Registry& registry, compute::Compute& compute,
                               compute::MetadataServer& metadata)
    : impl_(std::make_shared<Impl>(registry, compute, metadata)) {
  registry.subscribe([impl = impl_](const State&, const Changed& changed) {
    if (changed.instances.empty() && changed.security_groups.empty() && !changed.load_balancers) {
      return;
    }
    const std::lock_guard lock(impl->mutex);
    if (impl->is_ending) return;
    impl->changed_instances.insert(changed.instances.begin(), changed.instances.end());
    impl->is_dirty = true;
    impl->woken.notify_one();
  });
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

NetworkEffects::~NetworkEffects() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_ending = true;
  }
  impl_->woken.notify_one();
  impl_->thread.join();
}

void NetworkEffects::begin() {
  const std::lock_guard lock(impl_->mutex);
  impl_->has_begun = true;
  impl_->is_dirty = true;
  impl_->woken.notify_one();
}

void NetworkEffects::launched(const std::string& instance_id, compute::Firewall firewall) {
  const std::lock_guard lock(impl_->mutex);
  impl_->in_force.insert_or_assign(instance_id, std::move(firewall));
  // The groups may have changed since the launch began.
  impl_->is_dirty = true;
  impl_->woken.notify_one();
}

void NetworkEffects::ended(const std::string& instance_id) {
  const std::lock_guard lock(impl_->mutex);
  impl_->in_force.erase(instance_id);
}

void NetworkEffects::Impl::run() {
  std::unique_lock lock(mutex);
  while (true) {
    woken.wait(lock, [&] { return is_ending || (has_begun && is_dirty); });
    if (is_ending) return;
    is_dirty = false;
    const std::set<std::string> changed = std::exchange(changed_instances, {});
    lock.unlock();
    apply(changed);
    lock.lock();
  }
}

NetworkEffects::Impl::Wanted NetworkEffects::Impl::read(
    const std::set<std::string>& changed) const {
  Wanted wanted;
  registry.read([&](const State& state) {
    for (const auto& [id, instance] : state.instances) {
      if (instance.state != model::InstanceState::running) continue;
      wanted.firewalls.emplace(id, resolve_firewall(state, instance));
      if (changed.contains(id)) {
        wanted.documents.emplace(
            id, make_document(state, instance, registry.region(), registry.account()));
      }
    }
    wanted.nodes = node_addresses(state);
    for (const auto& [arn, load_balancer] : state.load_balancers) {
      if (load_balancer.state == model::LoadBalancerState::provisioning) {
        wanted.provisioning.push_back(arn);
      }
    }
  });
  return wanted;
}

void NetworkEffects::Impl::apply(const std::set<std::string>& changed) {
  Wanted wanted = read(changed);
  apply_nodes(wanted);
  for (const auto& [id, firewall] : wanted.firewalls) apply_firewall(id, firewall);
  for (auto& [id, document] : wanted.documents) metadata.update(id, std::move(document));
}

void NetworkEffects::Impl::apply_nodes(const Wanted& wanted) {
  Status outcome;
  if (nodes_in_force != wanted.nodes) {
    outcome = compute.set_node_addresses(wanted.nodes);
    if (outcome) {
      nodes_in_force = wanted.nodes;
    } else {
      log::error("the addresses of the load balancers' nodes cannot be set: {}",
                 outcome.error().message);
    }
  }
  if (!wanted.provisioning.empty()) settle(wanted.provisioning, outcome);
}

void NetworkEffects::Impl::settle(const std::vector<std::string>& load_balancers,
                                  const Status& outcome) {
  const auto stored = registry.update([&](Draft& draft) -> Status {
    for (const std::string& arn : load_balancers) {
      const auto found = draft.state().load_balancers.find(arn);
      if (found == draft.state().load_balancers.end() ||
          found->second.state != model::LoadBalancerState::provisioning) {
        continue;
      }
      model::LoadBalancer load_balancer = found->second;
      load_balancer.state =
          outcome ? model::LoadBalancerState::active : model::LoadBalancerState::failed;
      if (!outcome) load_balancer.state_reason = outcome.error().message;
      draft.put(std::move(load_balancer));
    }
    return {};
  });
  if (!stored) log::error("load balancers cannot be made active: {}", stored.error().message);
}

void NetworkEffects::Impl::apply_firewall(const std::string& id,
                                          const compute::Firewall& firewall) {
  {
    const std::lock_guard lock(mutex);
    const auto found = in_force.find(id);
    if (found != in_force.end() && is_same(found->second, firewall)) return;
  }
  if (const auto done = compute.set_firewall(id, firewall); !done) {
    if (done.error().code == "IncorrectInstanceState") return;  // it has just ended
    log::warn("the security groups of {} cannot be put in force: {}", id, done.error().message);
    return;
  }
  const std::lock_guard lock(mutex);
  in_force.insert_or_assign(id, firewall);
}

}  // namespace weir::control
