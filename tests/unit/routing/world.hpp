// Resources to compile snapshots from, for the tests of this folder.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "requests.hpp"
#include "routing/snapshot.hpp"

namespace weir::routing::test {

// The resources of one test, with two clusters behind one load balancer to begin with.
struct World {
  std::map<std::string, model::LoadBalancer> load_balancers;
  std::map<std::string, model::Listener> listeners;
  std::map<std::string, model::Rule> rules;
  std::map<std::string, model::TargetGroup> target_groups;
  std::map<std::tuple<std::string, std::string, std::uint16_t>, model::Target> targets;
  std::map<std::string, model::Instance> instances;
  std::string vpc_cidr = "172.31.0.0/16";

  World() {
    add_load_balancer("lb", "lb-1.us-east-1.elb.localhost", 1000);
    add_group("g1");
    add_group("g2");
    add_instance("i-1", "172.31.0.10", "us-east-1a");
    add_instance("i-2", "172.31.16.10", "us-east-1b");
    add_target("g1", "i-1", 80);
    add_target("g2", "i-2", 80);
    add_listener("l", "lb", 80, 8080, forward({{"g1", 1}, {"g2", 1}}));
    add_rule("r2", "l", 20, path({"/cluster2"}), forward({{"g2", 1}}));
    add_rule("r1", "l", 10, path({"/cluster1"}), forward({{"g1", 1}}));
  }

  static model::Action forward(std::vector<model::TargetGroupTuple> groups) {
    model::Action out;
    model::ForwardAction action;
    action.target_groups = std::move(groups);
    out.config = action;
    return out;
  }
  void add_load_balancer(const std::string& arn, const std::string& dns_name, std::int64_t at) {
    model::LoadBalancer& out = load_balancers[arn];
    out.arn = arn;
    out.name = arn;
    out.dns_name = dns_name;
    out.created_at_ms = at;
    out.nodes = {{"us-east-1a", "subnet-a", "172.31.0.5"},
                 {"us-east-1b", "subnet-b", "172.31.16.5"}};
  }
  void add_group(const std::string& arn) {
    target_groups[arn].arn = arn;
    target_groups[arn].name = arn;
  }
  void add_instance(const std::string& id, const std::string& ip, const std::string& zone) {
    model::Instance& out = instances[id];
    out.id = id;
    out.private_ip = ip;
    out.zone = zone;
    out.state = model::InstanceState::running;
  }
  void add_target(const std::string& group, const std::string& id, std::uint16_t port) {
    model::Target& out = targets[{group, id, port}];
    out.target_group_arn = group;
    out.id = id;
    out.port = port;
  }
  void add_listener(const std::string& arn, const std::string& load_balancer, std::uint16_t port,
                    std::uint16_t bound_port, model::Action action) {
    model::Listener& out = listeners[arn];
    out.arn = arn;
    out.load_balancer_arn = load_balancer;
    out.port = port;
    out.bound_port = bound_port;
    out.default_actions = {std::move(action)};
  }
  void add_rule(const std::string& arn, const std::string& listener, int priority,
                model::Condition condition, model::Action action) {
    model::Rule& out = rules[arn];
    out.arn = arn;
    out.listener_arn = listener;
    out.priority = priority;
    out.conditions = {std::move(condition)};
    out.actions = {std::move(action)};
  }
  [[nodiscard]] SnapshotPtr compiled(const Snapshot* previous = nullptr,
                                     const Changes* changes = nullptr) const {
    return compile({load_balancers, listeners, rules, target_groups, targets, instances, vpc_cidr},
                   previous, 7, changes);
  }
};

}  // namespace weir::routing::test
