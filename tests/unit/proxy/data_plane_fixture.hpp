// What tests of the data plane share: a data plane with one load balancer, listener and target
// group, on ports of the kernel's choice. A test file derives its suite from DataPlaneTest and
// instantiates it with backends() and backend_name.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "peers.hpp"
#include "proxy/data_plane.hpp"

namespace weir::proxy {

class DataPlaneTest : public testing::TestWithParam<net::Backend> {
 protected:
  void SetUp() override {
    DataPlaneOptions options;
    options.workers = 1;
    options.backend = GetParam();
    options.bind_addresses = {"127.0.0.1"};
    options.ledger = ledger_;
    configure(options);
    options.logs = logs_;
    data_plane_ = std::move(*DataPlane::start(std::move(options)));
    port_ = *data_plane_->open_port(0);
    model::LoadBalancer lb;
    lb.arn = "lb";
    lb.name = "web";
    lb.dns_name = "web-1.us-east-1.elb.localhost";
    lb.nodes = {{"us-east-1a", "subnet-a", "10.0.0.4"}};
    load_balancers_["lb"] = lb;
    model::Listener listener;
    listener.arn = "listener";
    listener.load_balancer_arn = "lb";
    listener.port = 80;
    listener.bound_port = port_;
    listeners_["listener"] = listener;
    model::TargetGroup group;
    group.arn = "group";
    group.target_type = "ip";
    groups_["group"] = group;
    set_default_action({1, model::ForwardAction{{{"group", 1}}, false, 0}});
  }

  void set_default_action(model::Action action) {
    listeners_["listener"].default_actions = {std::move(action)};
  }
  void set_attribute(const std::string& key, const std::string& value) {
    load_balancers_["lb"].attributes[key] = value;
  }
  void set_group(const std::string& key, const std::string& value) {
    groups_["group"].attributes[key] = value;
  }
  void add_target(std::uint16_t port, const std::string& group = "group",
                  const std::string& zone = "all") {
    targets_[{group, "127.0.0.1", port}] = {group, "127.0.0.1", port, zone, 0, 0};
  }
  void apply() {
    snapshot_ = routing::compile({load_balancers_, listeners_, rules_, groups_, targets_,
                                  instances_, "10.0.0.0/16", &stickiness_keys_, &certificates_},
                                 snapshot_.get(), ++revision_);
    data_plane_->apply(snapshot_);
  }
  // A target of the suite's, known by its name.
  TestTarget& add_server(const std::string& name, TestTarget::Handler handler,
                         const std::string& group = "group", const std::string& zone = "all") {
    servers_.push_back(std::make_unique<TestTarget>(std::move(handler)));
    port_of_[name] = servers_.back()->port();
    add_target(servers_.back()->port(), group, zone);
    return *servers_.back();
  }
  // One that answers with its name.
  void add_named(const std::string& name, const std::string& group = "group",
                 const std::string& zone = "all", const std::string& more_fields = "") {
    add_server(name,
               always("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + more_fields + "\r\n" + name),
               group, zone);
  }
  // Of the snapshot in force.
  routing::TargetHealthCell& cell(std::uint16_t port) {
    for (const auto& group : snapshot_->target_groups) {
      for (const auto& target : group.targets) {
        if (target.port == port) return *target.health;
      }
    }
    throw std::out_of_range("no target at port " + std::to_string(port));
  }
  routing::TargetHealthCell& cell(const std::string& name) { return cell(port_of_.at(name)); }
  void set_health(std::uint16_t port, routing::HealthState state) {
    cell(port).state.store(state);
    for (const auto& group : snapshot_->target_groups) group.health_epoch->fetch_add(1);
  }
  void set_health(const std::string& name, routing::HealthState state) {
    set_health(port_of_.at(name), state);
  }
  void serve(const TestTarget& target) {
    add_target(target.port());
    apply();
  }
  Connection connect(int receive_bytes = 0) { return Connection::to(port_, receive_bytes); }
  virtual void configure(DataPlaneOptions&) {}
  std::string ask(std::string_view request) {
    auto client = connect();
    client.send(request);
    client.shutdown_send();
    return client.read_to_end();
  }

  [[nodiscard]] telemetry::Ledger& ledger() { return *ledger_; }

  std::shared_ptr<telemetry::Ledger> ledger_ = std::make_shared<telemetry::Ledger>();
  std::shared_ptr<telemetry::Logs> logs_;  // a suite's own, before SetUp()
  std::unique_ptr<DataPlane> data_plane_;
  std::uint16_t port_ = 0;
  std::uint64_t revision_ = 0;
  routing::SnapshotPtr snapshot_;
  std::map<std::string, model::LoadBalancer> load_balancers_;
  std::map<std::string, model::Listener> listeners_;
  std::map<std::string, model::Rule> rules_;
  std::map<std::string, model::TargetGroup> groups_;
  std::map<std::tuple<std::string, std::string, std::uint16_t>, model::Target> targets_;
  std::map<std::string, model::Instance> instances_;
  std::map<std::string, model::StickinessKey> stickiness_keys_;
  std::map<std::string, model::Certificate> certificates_;
  Gate gate_;  // before the servers: their handlers may still wake up in it when a test's body ends
  std::vector<std::unique_ptr<TestTarget>> servers_;
  std::map<std::string, std::uint16_t> port_of_;
};

inline std::vector<net::Backend> backends() {
#ifdef WEIR_HAVE_URING
  return {net::Backend::epoll, net::Backend::io_uring};
#else
  return {net::Backend::epoll};
#endif
}

inline std::string backend_name(const testing::TestParamInfo<net::Backend>& test) {
  return test.param == net::Backend::epoll ? "epoll" : "io_uring";
}

}  // namespace weir::proxy
