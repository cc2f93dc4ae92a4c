// Weir's data plane alone, as a contestant: the two-cluster load balancer in front of one target.
//
// What it serves by is compiled from resources as the daemon does it; there are no instances, no
// health checks (the target is marked healthy) and no store. One worker, unless told otherwise.
// On request it changes its configuration all the time.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "base/clock.hpp"
#include "proxy/data_plane.hpp"
#include "routing/changes.hpp"
#include "routing/snapshot.hpp"
#include "support.hpp"

namespace weir::bench {
namespace {

constexpr auto load_balancer_arn =
    "arn:aws:elasticloadbalancing:us-east-1:0:loadbalancer/app/bench/0";
constexpr auto listener_arn = "arn:aws:elasticloadbalancing:us-east-1:0:listener/app/bench/0/0";

std::string group_arn(int cluster) {
  return "arn:aws:elasticloadbalancing:us-east-1:0:targetgroup/cluster" + std::to_string(cluster) +
         "/0";
}

model::LoadBalancer load_balancer() {
  model::LoadBalancer out;
  out.arn = load_balancer_arn;
  out.name = "bench";
  out.dns_name = "bench-0.us-east-1.elb.localhost";
  out.state = model::LoadBalancerState::active;
  // As the peers: idle connections stay for longer than any measurement.
  out.attributes["idle_timeout.timeout_seconds"] = "3600";
  return out;
}

model::TargetGroup target_group(int cluster) {
  model::TargetGroup out;
  out.arn = group_arn(cluster);
  out.name = "cluster" + std::to_string(cluster);
  out.target_type = "ip";
  return out;
}

model::Target target(int cluster, std::uint16_t port) {
  model::Target out;
  out.target_group_arn = group_arn(cluster);
  out.id = "127.0.0.1";
  out.port = port;
  out.zone = "all";
  return out;
}

model::Action forward_to(std::vector<model::TargetGroupTuple> groups) {
  return {1, model::ForwardAction{std::move(groups), false, 0}};
}

model::Listener listener(std::uint16_t port) {
  model::Listener out;
  out.arn = listener_arn;
  out.load_balancer_arn = load_balancer_arn;
  out.port = port;
  out.bound_port = port;
  out.default_actions = {forward_to({{group_arn(1), 1}, {group_arn(2), 1}})};
  return out;
}

model::Rule rule(int priority, const std::string& path, int cluster) {
  model::Rule out;
  out.arn = "arn:aws:elasticloadbalancing:us-east-1:0:listener-rule/app/bench/0/0/" +
            std::to_string(priority);
  out.listener_arn = listener_arn;
  out.priority = priority;
  out.conditions.emplace_back().values = {path};
  out.actions = {forward_to({{group_arn(cluster), 1}})};
  return out;
}

// The resources, and the snapshots made of them as the daemon does it.
class Configuration {
 public:
  Configuration(std::uint16_t port, std::uint16_t target_port, int more_rules, int more_targets) {
    load_balancers_[load_balancer_arn] = load_balancer();
    listeners_[listener_arn] = listener(port);
    for (const int cluster : {1, 2}) {
      groups_[group_arn(cluster)] = target_group(cluster);
      put(target(cluster, target_port));
      put(rule(cluster, "/cluster" + std::to_string(cluster) + "*", cluster));
    }
    for (int i = 0; i < more_rules; ++i) put(rule(3 + i, "/rule/" + std::to_string(i) + "*", 1));
    for (int i = 0; i < more_targets; ++i) put(unused_target(i));
    changes_ = {};
    snapshot_ = compiled(nullptr);
    for (const routing::TargetGroup& group : snapshot_->target_groups) {
      for (const routing::Target& one : group.targets) {
        if (one.id == "127.0.0.1") one.health->state.store(routing::HealthState::healthy);
      }
      group.health_epoch->fetch_add(1);
    }
  }

  [[nodiscard]] const routing::SnapshotPtr& snapshot() const { return snapshot_; }

  // A target is registered or deregistered and a rule changed, in turns.
  void change() {
    const bool adds = ++turn_ % 2 != 0;
    model::Target extra = unused_target(-1);
    if (adds) {
      put(std::move(extra));
    } else {
      const TargetKey key{extra.target_group_arn, extra.id, extra.port};
      targets_.erase(key);
      changes_.targets.insert(key);
    }
    put(rule(40'000, adds ? "/one*" : "/other*", 2));
    snapshot_ = compiled(snapshot_.get());
    changes_ = {};
  }

 private:
  using TargetKey = std::tuple<std::string, std::string, std::uint16_t>;

  // Nobody listens there, and no health check makes it healthy: it takes no request.
  static model::Target unused_target(int number) {
    model::Target out = target(1, 1);
    const int place = number + 1;
    out.id = "127.1." + std::to_string(place / 250) + '.' + std::to_string(place % 250 + 1);
    return out;
  }
  void put(model::Target value) {
    const TargetKey key{value.target_group_arn, value.id, value.port};
    changes_.targets.insert(key);
    targets_[key] = std::move(value);
  }
  void put(model::Rule value) {
    changes_.rules[value.arn] = value.listener_arn;
    const std::string arn = value.arn;
    rules_[arn] = std::move(value);
  }
  [[nodiscard]] routing::SnapshotPtr compiled(const routing::Snapshot* previous) {
    return routing::compile(
        {load_balancers_, listeners_, rules_, groups_, targets_, instances_, ""}, previous,
        ++revision_, &changes_);
  }

  std::map<std::string, model::LoadBalancer> load_balancers_;
  std::map<std::string, model::Listener> listeners_;
  std::map<std::string, model::Rule> rules_;
  std::map<std::string, model::TargetGroup> groups_;
  std::map<TargetKey, model::Target> targets_;
  std::map<std::string, model::Instance> instances_;
  routing::Changes changes_;
  routing::SnapshotPtr snapshot_;
  std::uint64_t revision_ = 0;
  int turn_ = 0;
};

// Each change is said with the milliseconds until every worker served by it.
[[noreturn]] void keep_changing(Configuration& configuration, proxy::DataPlane& data_plane,
                                int every_ms) {
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(every_ms));
    const std::int64_t begin = monotonic_ns();
    configuration.change();
    data_plane.apply(configuration.snapshot());
    std::fprintf(stderr, "changed in %.3f ms\n", static_cast<double>(monotonic_ns() - begin) / 1e6);
  }
}

net::Backend backend_of(const std::string& word) {
  if (word == "io_uring") return net::Backend::io_uring;
  if (word == "epoll") return net::Backend::epoll;
  usage_error("--loop is io_uring or epoll");
}

template <typename T>
T or_die(Result<T> result) {
  if (!result) usage_error(result.error().code + ": " + result.error().message);
  return std::move(*result);
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir;
  const bench::Options options(
      argc, argv, {"port", "target-port", "workers", "loop", "rules", "targets", "change-ms"});
  bench::raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);
  proxy::DataPlaneOptions plane;
  plane.workers = static_cast<int>(options.number("workers", 1));
  plane.bind_addresses = {"127.0.0.1"};
  if (options.has("loop")) plane.backend = bench::backend_of(options.text("loop", ""));
  const auto data_plane = bench::or_die(proxy::DataPlane::start(std::move(plane)));
  const std::uint16_t port =
      bench::or_die(data_plane->open_port(static_cast<std::uint16_t>(options.number("port", 0))));
  bench::Configuration configuration(
      port, static_cast<std::uint16_t>(options.number("target-port", 0)),
      static_cast<int>(options.number("rules", 0)), static_cast<int>(options.number("targets", 0)));
  data_plane->apply(configuration.snapshot());
  bench::announce(port);
  if (const auto every_ms = static_cast<int>(options.number("change-ms", 0)); every_ms > 0)
    bench::keep_changing(configuration, *data_plane, every_ms);
  for (;;) pause();
}
