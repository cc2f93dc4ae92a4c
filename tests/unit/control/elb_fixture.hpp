// What the tests of ELBv2's verbs stand on: a registry with a VPC, four subnets, security groups
// and instances, and makers of what is needed first.
#pragma once

#include <gtest/gtest.h>

#include "control/elb.hpp"
#include "fakes.hpp"

namespace weir::control {

using model::InstanceState;

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : result.error().code;
}

inline model::Action forward(std::vector<model::TargetGroupTuple> groups) {
  return {.order = 1, .config = model::ForwardAction{std::move(groups)}};
}

inline model::Condition path(std::string value) {
  model::Condition condition;
  condition.values = {std::move(value)};
  return condition;
}

class ElbTest : public testing::Test {
 protected:
  void SetUp() override {
    registry_ = open_registry(disk_);
    elb_ = std::make_unique<Elb>(*registry_, data_plane_);
    ASSERT_TRUE(registry_->update([](Draft& draft) -> Status {
      draft.put(model::Vpc{"vpc-1", "172.31.0.0/16", true, {}});
      draft.put(subnet("subnet-a", "us-east-1a", "172.31.0.0/20"));
      draft.put(subnet("subnet-a2", "us-east-1a", "172.31.64.0/20"));
      draft.put(subnet("subnet-b", "us-east-1b", "172.31.16.0/20"));
      draft.put(subnet("subnet-c", "us-east-1c", "172.31.32.0/28"));
      draft.put(group("sg-d", "default"));
      draft.put(group("sg-1", "web"));
      draft.put(instance(id_a, "us-east-1a", "172.31.0.4", InstanceState::running));
      draft.put(instance(id_b, "us-east-1b", "172.31.16.4", InstanceState::running));
      draft.put(instance(id_c, "us-east-1c", "172.31.32.4", InstanceState::running));
      draft.put(instance(id_pending, "us-east-1a", "172.31.0.5", InstanceState::pending));
      return {};
    }));
  }

  static constexpr const char* id_a = "i-0000000000000000a";
  static constexpr const char* id_b = "i-0000000000000000b";
  static constexpr const char* id_c = "i-0000000000000000c";
  static constexpr const char* id_pending = "i-0000000000000000d";

  static model::Subnet subnet(std::string id, std::string zone, std::string cidr) {
    return {std::move(id), "vpc-1", std::move(zone), "use1-az1", std::move(cidr), false, {}};
  }
  static model::SecurityGroup group(std::string id, std::string name) {
    model::SecurityGroup out;
    out.id = std::move(id);
    out.name = std::move(name);
    out.vpc_id = "vpc-1";
    return out;
  }
  static model::Instance instance(std::string id, std::string zone, std::string address,
                                  InstanceState state) {
    model::Instance out;
    out.id = std::move(id);
    out.vpc_id = "vpc-1";
    out.zone = std::move(zone);
    out.private_ip = std::move(address);
    out.state = state;
    return out;
  }
  void set_state(const char* id, InstanceState state) {
    ASSERT_TRUE(registry_->update([&](Draft& draft) -> Status {
      model::Instance changed = draft.state().instances.at(id);
      changed.state = state;
      draft.put(std::move(changed));
      return {};
    }));
  }

  static CreateLoadBalancerInput balancer_input(std::string name = "web") {
    CreateLoadBalancerInput input;
    input.name = std::move(name);
    input.subnet_ids = {"subnet-a", "subnet-b"};
    input.security_group_ids = {"sg-1"};
    return input;
  }
  model::LoadBalancer make_balancer(std::string name = "web") {
    auto made = elb_->create_load_balancer(balancer_input(std::move(name)));
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(model::LoadBalancer{});
  }
  std::string make_group(std::string name, model::Attributes attributes = {}) {
    CreateTargetGroupInput input;
    input.name = std::move(name);
    input.port = 80;
    input.attributes = std::move(attributes);
    const auto made = elb_->create_target_group(input);
    EXPECT_TRUE(made) << made.error().message;
    return made ? made->arn : "";
  }
  static CreateListenerInput listener_input(const std::string& balancer, const std::string& group,
                                            int port = 80) {
    CreateListenerInput input;
    input.load_balancer_arn = balancer;
    input.port = port;
    input.default_actions = {forward({{group, 1}})};
    return input;
  }
  std::string make_listener(const std::string& balancer, const std::string& group, int port = 80) {
    const auto made = elb_->create_listener(listener_input(balancer, group, port));
    EXPECT_TRUE(made) << made.error().message;
    return made ? made->arn : "";
  }
  static CreateRuleInput rule_input(const std::string& listener, int priority,
                                    const std::string& group) {
    CreateRuleInput input;
    input.listener_arn = listener;
    input.priority = priority;
    input.conditions = {path("/cluster1")};
    input.actions = {forward({{group, 1}})};
    return input;
  }
  // "state reason" of each target, in order.
  std::vector<std::string> healths(const std::string& group) {
    std::vector<std::string> out;
    const auto described = elb_->describe_target_health(group);
    EXPECT_TRUE(described);
    for (const TargetHealth& health : *described) {
      out.push_back(health.state + (health.reason.empty() ? "" : " " + health.reason));
    }
    return out;
  }

  std::shared_ptr<Disk> disk_ = std::make_shared<Disk>();
  std::unique_ptr<Registry> registry_;
  FakeDataPlane data_plane_;
  std::unique_ptr<Elb> elb_;
};

}  // namespace weir::control
