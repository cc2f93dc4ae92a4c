// Weir's data plane alone, as a contestant: the two-cluster load balancer in front of one target.
//
// What it serves by is compiled from resources as the daemon does it; there are no instances, no
// health checks (the target is marked healthy) and no store. One worker, unless told otherwise.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "proxy/data_plane.hpp"
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

routing::SnapshotPtr snapshot(std::uint16_t port, std::uint16_t target_port, int more_rules) {
  std::map<std::string, model::LoadBalancer> load_balancers;
  std::map<std::string, model::Listener> listeners;
  std::map<std::string, model::Rule> rules;
  std::map<std::string, model::TargetGroup> groups;
  std::map<std::tuple<std::string, std::string, std::uint16_t>, model::Target> targets;
  const std::map<std::string, model::Instance> instances;
  load_balancers[load_balancer_arn] = load_balancer();
  listeners[listener_arn] = listener(port);
  for (const int cluster : {1, 2}) {
    groups[group_arn(cluster)] = target_group(cluster);
    targets[{group_arn(cluster), "127.0.0.1", target_port}] = target(cluster, target_port);
    const model::Rule one = rule(cluster, "/cluster" + std::to_string(cluster) + "*", cluster);
    rules[one.arn] = one;
  }
  for (int i = 0; i < more_rules; ++i) {
    const model::Rule one = rule(3 + i, "/rule/" + std::to_string(i) + "*", 1);
    rules[one.arn] = one;
  }
  routing::SnapshotPtr out = routing::compile(
      {load_balancers, listeners, rules, groups, targets, instances, ""}, nullptr, 1);
  for (const routing::TargetGroup& group : out->target_groups) {
    for (const routing::Target& one : group.targets) {
      one.health->state.store(routing::HealthState::healthy);
    }
    group.health_epoch->fetch_add(1);
  }
  return out;
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
  const bench::Options options(argc, argv, {"port", "target-port", "workers", "loop", "rules"});
  bench::raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);
  proxy::DataPlaneOptions plane;
  plane.workers = static_cast<int>(options.number("workers", 1));
  plane.bind_addresses = {"127.0.0.1"};
  if (options.has("loop")) plane.backend = bench::backend_of(options.text("loop", ""));
  const auto data_plane = bench::or_die(proxy::DataPlane::start(std::move(plane)));
  const std::uint16_t port =
      bench::or_die(data_plane->open_port(static_cast<std::uint16_t>(options.number("port", 0))));
  data_plane->apply(bench::snapshot(port,
                                    static_cast<std::uint16_t>(options.number("target-port", 0)),
                                    static_cast<int>(options.number("rules", 0))));
  bench::announce(port);
  for (;;) pause();
}
