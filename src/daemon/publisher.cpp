#include "daemon/publisher.hpp"

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "routing/changes.hpp"
#include "routing/snapshot.hpp"

namespace weir::daemon {
namespace {

// Shared with the registry's subscriber, which cannot be taken back and may outlive the Publisher.
struct Pending {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t committed = 1;  // the state found at the start is the first to publish
  std::uint64_t published = 0;
  std::set<std::string> instances;  // changed since the last publication
  routing::Changes changes;         // the same
  bool is_stopping = false;
};

class PublisherThread final : public Publisher {
 public:
  explicit PublisherThread(Parts parts) : parts_(std::move(parts)) {
    parts_.registry.subscribe([pending = pending_, changes = parts_.changes](
                                  const control::State&, const control::Changed& changed) {
      note(*pending, changed);
      changes->raise();
    });
    thread_ = std::thread([this] { run(); });
  }

  ~PublisherThread() override {
    {
      std::lock_guard lock(pending_->mutex);
      pending_->is_stopping = true;
    }
    pending_->changed.notify_all();
    thread_.join();
  }

  void flush() override {
    std::unique_lock lock(pending_->mutex);
    const auto wanted = pending_->committed;
    pending_->changed.wait(lock,
                           [&] { return pending_->published >= wanted || pending_->is_stopping; });
  }

 private:
  static void note(Pending& pending, const control::Changed& changed) {
    if (!changed.load_balancing && !changed.network && changed.instances.empty()) return;
    {
      std::lock_guard lock(pending.mutex);
      ++pending.committed;
      pending.instances.insert(changed.instances.begin(), changed.instances.end());
      routing::Changes& changes = pending.changes;
      changes.rules.insert(changed.rules.begin(), changed.rules.end());
      changes.target_groups.insert(changed.target_groups.begin(), changed.target_groups.end());
      changes.targets.insert(changed.targets.begin(), changed.targets.end());
      if (changed.network || changed.load_balancers || !changed.instances.empty())
        changes.all_targets = true;
    }
    pending.changed.notify_all();
  }

  void run() {
    while (true) {
      std::uint64_t wanted = 0;
      std::set<std::string> instances;
      routing::Changes changes;
      {
        std::unique_lock lock(pending_->mutex);
        pending_->changed.wait(lock, [&] {
          return pending_->committed > pending_->published || pending_->is_stopping;
        });
        if (pending_->is_stopping) return;
        wanted = pending_->committed;
        instances.swap(pending_->instances);
        changes = std::exchange(pending_->changes, {});
      }
      publish(wanted, instances, changes);
      {
        std::lock_guard lock(pending_->mutex);
        pending_->published = wanted;
      }
      pending_->changed.notify_all();
      parts_.changes->raise();
    }
  }

  // The checker first, so that a worker never serves a target whose health nobody looks after.
  void publish(std::uint64_t revision, const std::set<std::string>& instances,
               const routing::Changes& changes) {
    std::vector<std::string> nodes;
    auto snapshot = compile(revision, changes, nodes);
    set_nodes(nodes);
    parts_.checker.apply(snapshot);
    parts_.data_plane.apply(snapshot);
    current_ = std::move(snapshot);
    for (const auto& id : instances) parts_.checker.check_now(id);
  }

  // The sources may be newer than `revision` and `changes` say: what comes in between is compiled
  // or not, and is named again for the next snapshot.
  routing::SnapshotPtr compile(std::uint64_t revision, const routing::Changes& changes,
                               std::vector<std::string>& nodes) {
    routing::SnapshotPtr snapshot;
    parts_.registry.read([&](const control::State& state) {
      std::string_view vpc_cidr;
      for (const auto& [id, vpc] : state.vpcs) {
        if (vpc.is_default) vpc_cidr = vpc.cidr;
      }
      for (const auto& [arn, balancer] : state.load_balancers) {
        for (const auto& node : balancer.nodes) nodes.push_back(node.private_ip);
      }
      snapshot = routing::compile(
          {state.load_balancers, state.listeners, state.rules, state.target_groups, state.targets,
           state.instances, vpc_cidr, &state.stickiness_keys, &state.certificates},
          current_.get(), revision, &changes);
    });
    return snapshot;
  }

  void set_nodes(const std::vector<std::string>& nodes) {
    if (nodes == nodes_) return;
    if (auto set = parts_.set_node_addresses(nodes); !set) {
      log::warn("the load balancers' addresses could not be set: {}", set.error().message);
      return;
    }
    nodes_ = nodes;
  }

  Parts parts_;
  std::shared_ptr<Pending> pending_ = std::make_shared<Pending>();
  routing::SnapshotPtr current_;
  std::vector<std::string> nodes_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Publisher> Publisher::start(Parts parts) {
  return std::make_unique<PublisherThread>(std::move(parts));
}

}  // namespace weir::daemon
