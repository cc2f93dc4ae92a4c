// Stacks through the real Registry, Elb and Ec2; only the machine below is a stand-in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "engine_fixture.hpp"

namespace weir::stacks {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

TEST_F(EngineTest, creates_in_order_and_stores_what_it_made) {
  const auto id = create(input());
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_THAT(*id, StartsWith("arn:aws:cloudformation:us-east-1:"));

  const State now = state();
  const model::Stack& stack = now.stacks.at("shop");
  EXPECT_EQ(stack.status, "CREATE_COMPLETE");
  EXPECT_EQ(stack.id, *id);
  ASSERT_THAT(stack.resources, SizeIs(5));
  for (const auto& resource : stack.resources) {
    EXPECT_EQ(resource.status, "CREATE_COMPLETE") << resource.logical_id;
    EXPECT_FALSE(resource.physical_id.empty()) << resource.logical_id;
  }
  ASSERT_THAT(now.instances, SizeIs(1));
  const model::Instance& instance = now.instances.begin()->second;
  EXPECT_EQ(instance.zone, "us-east-1b");
  EXPECT_EQ(instance.tags.at("aws:cloudformation:stack-name"), "shop");
  EXPECT_EQ(instance.tags.at("aws:cloudformation:logical-id"), "Web");
  ASSERT_THAT(stack.outputs, SizeIs(2));
  EXPECT_EQ(stack.outputs[0].value, instance.private_ip);
  EXPECT_EQ(stack.outputs[0].description, "where it is");
  EXPECT_THAT(stack.outputs[1].value, StartsWith("targetgroup/shop-Targets-"));
  const auto& group = now.security_groups.at(instance.security_group_ids.at(0));
  ASSERT_THAT(group.ingress, SizeIs(1));
  EXPECT_EQ(group.ingress[0].from_port, 80);
  EXPECT_THAT(now.targets, SizeIs(1));

  EXPECT_EQ(events_.front(), "shop CREATE_IN_PROGRESS");
  EXPECT_EQ(events_.back(), "shop CREATE_COMPLETE");
  EXPECT_LT(index_of("Group CREATE_COMPLETE"), index_of("Web CREATE_IN_PROGRESS"));
  EXPECT_LT(index_of("Web CREATE_COMPLETE"), index_of("Targets CREATE_IN_PROGRESS"));
}

TEST_F(EngineTest, launches_instances_side_by_side) {
  compute_.hold();
  Result<std::string> id;
  std::thread creator([&] { id = create(two_clusters()); });
  EXPECT_TRUE(compute_.wait_until([](auto& compute) { return compute.launched_.size() >= 2; }));
  compute_.release();
  creator.join();
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_EQ(living_instances(), 9U);
}

TEST_F(EngineTest, the_builtin_template_is_the_mission) {
  CreateInput in = two_clusters();
  const auto plan = engine_->validate(in);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->notices, SizeIs(2));  // the VPC and the subnets that were taken
  const auto id = create(in);
  ASSERT_TRUE(id) << id.error().message;
  const State now = state();
  std::map<std::string, int> types, zones;
  for (const auto& [key, instance] : now.instances) {
    ++types[instance.type];
    ++zones[instance.zone];
    EXPECT_THAT(instance.user_data, StartsWith("#!/bin/bash\nCLUSTER="));
    EXPECT_THAT(instance.user_data, HasSubstr("cluster-app"));
  }
  EXPECT_EQ(types, (std::map<std::string, int>{{"m4.large", 5}, {"t2.large", 4}}));
  EXPECT_EQ(zones, (std::map<std::string, int>{{"us-east-1a", 5}, {"us-east-1b", 4}}));
  ASSERT_THAT(now.listeners, SizeIs(1));
  const auto& actions = now.listeners.begin()->second.default_actions;
  const auto& forward = std::get<model::ForwardAction>(actions.at(0).config);
  ASSERT_THAT(forward.target_groups, SizeIs(2));
  EXPECT_EQ(forward.target_groups[0].weight, forward.target_groups[1].weight);
  ASSERT_THAT(now.rules, SizeIs(2));
  EXPECT_THAT(now.targets, SizeIs(9));
  for (const auto& output : now.stacks.at("shop").outputs) {
    if (output.key != "Url") continue;
    EXPECT_THAT(output.value, StartsWith("http://shop-"));
  }
}

TEST_F(EngineTest, the_builtin_template_takes_sizes_and_the_other_app) {
  CreateInput in = two_clusters();
  in.parameters = {{"Cluster1Size", "10"}, {"Cluster2Size", "1"}, {"App", "Flask"}};
  const auto id = create(in);
  ASSERT_TRUE(id) << id.error().message;
  const State now = state();
  EXPECT_THAT(now.instances, SizeIs(11));
  EXPECT_THAT(now.targets, SizeIs(11));
  EXPECT_THAT(now.instances.begin()->second.user_data, HasSubstr("flask-server"));
  in.name = "other";
  in.parameters["Cluster1Size"] = "11";
  EXPECT_THAT(engine_->validate(in).error().message, HasSubstr("Parameters.Cluster1Size: '11'"));
}

TEST_F(EngineTest, names_are_made_to_fit) {
  CreateInput in = input();
  in.name = "internal-a-very-long-name-for-a-stack-of-resources";
  const auto id = create(in);
  ASSERT_TRUE(id) << id.error().message;
  for (const auto& [arn, group] : state().target_groups) {
    if (group.name == "taken") continue;
    EXPECT_LE(group.name.size(), 32U) << group.name;
    EXPECT_THAT(group.name, HasSubstr("-Targets-"));
  }
}

TEST_F(EngineTest, a_failing_resource_rolls_everything_back) {
  ASSERT_TRUE(take_name());
  const auto id = create(input());
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, "CreateFailed");
  EXPECT_THAT(id.error().message,
              StartsWith("Named (AWS::ElasticLoadBalancingV2::TargetGroup): A target group with"));
  EXPECT_THAT(id.error().message, HasSubstr("Everything made has been removed again."));
  EXPECT_THAT(events_, Contains("shop ROLLBACK_COMPLETE"));
  ASSERT_THAT(state().target_groups, SizeIs(1));  // the one that was there before
  ASSERT_TRUE(elb_->delete_target_group(state().target_groups.begin()->first));
  expect_nothing_left();
  const auto again = create(input());  // the name is free again
  EXPECT_TRUE(again) << again.error().message;
}

TEST_F(EngineTest, a_failing_launch_rolls_back_and_tells_why) {
  compute_.fail_launches(Error{"NoImage", "image ami-08c40ec9ead489470 is damaged", {}});
  const auto id = create(two_clusters());
  ASSERT_FALSE(id);
  EXPECT_THAT(id.error().message, HasSubstr("(AWS::EC2::Instance): "));
  EXPECT_THAT(id.error().message, HasSubstr("image ami-08c40ec9ead489470 is damaged"));
  expect_nothing_left();
}

TEST_F(EngineTest, a_failing_roll_back_says_what_remains) {
  ASSERT_TRUE(take_name());
  compute_.fail_stops(Error{"Stuck", "the process does not end", {}});
  const auto id = create(input());
  ASSERT_FALSE(id);
  EXPECT_THAT(id.error().message, HasSubstr("Web (AWS::EC2::Instance, i-"));
  EXPECT_THAT(id.error().message, HasSubstr("Group (AWS::EC2::SecurityGroup, sg-"));
  EXPECT_EQ(id.error().hint, "Remove it with: weir down shop");
  EXPECT_EQ(state().stacks.at("shop").status, "ROLLBACK_FAILED");
  EXPECT_EQ(create(input()).error().code, "AlreadyExistsException");

  compute_.fail_stops(std::nullopt);
  const auto removed = engine_->remove("shop", handler());
  ASSERT_TRUE(removed) << removed.error().message;
  ASSERT_TRUE(elb_->delete_target_group(state().target_groups.begin()->first));
  expect_nothing_left();
}

TEST_F(EngineTest, a_store_that_fails_leaves_nothing_made) {
  disk_->commits_until_full = 6;
  EXPECT_FALSE(create(two_clusters()));
  // The roll back cannot be written down either; after a restart it is finished.
  disk_->commits_until_full = -1;
  start();
  engine_->resume();
  for (const auto& [name, stack] : state().stacks) {
    EXPECT_TRUE(engine_->remove(name, handler()));
  }
  expect_nothing_left();
}

TEST_F(EngineTest, removes_in_reverse_order) {
  ASSERT_TRUE(create(two_clusters()));
  events_.clear();
  const auto removed = engine_->remove("shop", handler());
  ASSERT_TRUE(removed) << removed.error().message;
  expect_nothing_left();
  EXPECT_LT(index_of("Cluster1Rule DELETE_COMPLETE"), index_of("Listener DELETE_IN_PROGRESS"));
  EXPECT_LT(index_of("Listener DELETE_COMPLETE"), index_of("LoadBalancer DELETE_IN_PROGRESS"));
  EXPECT_LT(index_of("Cluster1Instance1 DELETE_COMPLETE"),
            index_of("InstanceSecurityGroup DELETE_IN_PROGRESS"));
  EXPECT_EQ(events_.back(), "shop DELETE_COMPLETE");
  EXPECT_EQ(engine_->remove("shop", handler()).error().code, "StackNotFound");
}

TEST_F(EngineTest, removes_what_others_removed_before) {
  ASSERT_TRUE(create(two_clusters()));
  const State now = state();
  for (const auto& [arn, rule] : now.rules) ASSERT_TRUE(elb_->delete_rule(arn));
  for (const auto& [arn, listener] : now.listeners) ASSERT_TRUE(elb_->delete_listener(arn));
  for (const auto& [arn, balancer] : now.load_balancers) {
    ASSERT_TRUE(elb_->delete_load_balancer(arn));
  }
  ASSERT_TRUE(ec2_->terminate_instances({now.instances.begin()->first}));
  const auto removed = engine_->remove("shop", handler());
  EXPECT_TRUE(removed) << removed.error().message;
  expect_nothing_left();
}

TEST_F(EngineTest, retained_resources_leave_the_stack_and_stay) {
  const auto id = create(input(R"(
Resources:
  Kept:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    DeletionPolicy: Retain
    Properties: {Name: kept, Port: 80}
  Gone:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Name: gone, Port: 80}
)"));
  ASSERT_TRUE(id) << id.error().message;
  ASSERT_TRUE(engine_->remove("shop", handler()));
  ASSERT_THAT(state().target_groups, SizeIs(1));
  EXPECT_EQ(state().target_groups.begin()->second.name, "kept");
  EXPECT_THAT(state().stacks, IsEmpty());
  EXPECT_THAT(events_, Contains("Kept DELETE_SKIPPED"));
}

TEST_F(EngineTest, a_rule_of_a_group_outside_the_stack_is_taken_back) {
  control::CreateSecurityGroupInput group;
  group.name = "outside";
  group.description = "outside";
  const auto outside = ec2_->create_security_group(group);
  ASSERT_TRUE(outside);
  model::SecurityGroupRule ssh;
  ssh.protocol = "tcp";
  ssh.from_port = ssh.to_port = 22;
  ssh.cidr = "10.0.0.0/8";
  ASSERT_TRUE(ec2_->authorize_ingress(outside->id, ssh));
  CreateInput in = input(R"(
Parameters: {GroupId: {Type: "AWS::EC2::SecurityGroup::Id"}}
Resources:
  Rule:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref GroupId, IpProtocol: TCP, FromPort: 80, ToPort: 80, CidrIp: 10.1.2.3/8}
)");
  in.parameters["GroupId"] = outside->id;
  const auto id = create(in);
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_THAT(state().security_groups.at(outside->id).ingress, SizeIs(2));
  // A second stack that wants the same rule fails, and does not take the first one's away.
  in.name = "second";
  EXPECT_FALSE(create(in));
  EXPECT_THAT(state().security_groups.at(outside->id).ingress, SizeIs(2));
  ASSERT_TRUE(engine_->remove("shop", handler()));
  const auto rules = state().security_groups.at(outside->id).ingress;
  ASSERT_THAT(rules, SizeIs(1));
  EXPECT_EQ(rules[0].from_port, 22);
}

// The daemon is killed after every commit in turn: what the disk holds then, and the instances that
// run, are all that the next daemon has.
class KilledTest : public RecordedTest {
 protected:
  // The next daemon, on its own machine, so to speak.
  static void expect_resumed(const Moment& moment) {
    FakeCompute compute;
    FakeDataPlane data_plane;
    for (const std::string& id : moment.running) compute.add_running(id);
    const auto registry = control::open_registry(std::make_shared<control::Disk>(moment.disk));
    ASSERT_NE(registry, nullptr);
    control::Ec2 ec2(*registry, compute);
    ASSERT_TRUE(ec2.ensure_default_vpc("172.31.0.0/16"));
    ASSERT_TRUE(ec2.adopt());
    control::Elb elb(*registry, data_plane);
    Engine engine(*registry, elb, ec2);
    engine.resume();
    const State now = copy_of(*registry);
    const bool is_complete =
        !now.stacks.empty() && now.stacks.at("shop").status == "CREATE_COMPLETE";
    if (is_complete) return;
    EXPECT_THAT(now.stacks, IsEmpty());
    EXPECT_THAT(now.security_groups, SizeIs(1));
    EXPECT_THAT(now.target_groups, IsEmpty());
    EXPECT_THAT(now.load_balancers, IsEmpty());
    EXPECT_THAT(compute.look([](auto& seen) { return seen.running_; }), IsEmpty());
  }
};

TEST_F(KilledTest, a_creation_is_rolled_back_whenever_it_ended) {
  record();
  ASSERT_TRUE(create(two_clusters()));
  end();
  ASSERT_GT(moments_.size(), 20U);
  for (std::size_t i = 0; i < moments_.size(); ++i) {
    SCOPED_TRACE(i);
    expect_resumed(moments_[i]);
  }
}

TEST_F(KilledTest, a_removal_is_finished_whenever_it_ended) {
  record();
  ASSERT_TRUE(create(input()));
  moments_.clear();
  ASSERT_TRUE(engine_->remove("shop", handler()));
  end();
  ASSERT_GT(moments_.size(), 5U);
  for (std::size_t i = 0; i < moments_.size(); ++i) {
    SCOPED_TRACE(i);
    expect_resumed(moments_[i]);
  }
}

TEST_F(EngineTest, resume_finds_what_was_made_but_not_noted) {
  ASSERT_TRUE(create(input()));
  ASSERT_TRUE(registry_->update([&](control::Draft& draft) -> Status {
    model::Stack stack = draft.state().stacks.at("shop");
    stack.status = "CREATE_IN_PROGRESS";
    for (auto& resource : stack.resources) {
      if (resource.type == "AWS::EC2::SecurityGroupIngress") continue;
      resource.status = "CREATE_IN_PROGRESS";
      resource.physical_id.clear();
    }
    draft.put(stack);
    return {};
  }));
  start();
  engine_->resume();
  expect_nothing_left();
}

TEST_F(EngineTest, resume_finishes_a_removal) {
  ASSERT_TRUE(create(two_clusters()));
  ASSERT_TRUE(registry_->update([&](control::Draft& draft) -> Status {
    model::Stack stack = draft.state().stacks.at("shop");
    stack.status = "DELETE_IN_PROGRESS";
    draft.put(stack);
    return {};
  }));
  start();
  engine_->resume();
  expect_nothing_left();
}

TEST_F(EngineTest, resume_leaves_complete_stacks_alone) {
  ASSERT_TRUE(create(input()));
  start();
  engine_->resume();
  EXPECT_EQ(state().stacks.at("shop").status, "CREATE_COMPLETE");
  EXPECT_EQ(living_instances(), 1U);
}

TEST_F(EngineTest, resume_leaves_alone_what_this_daemon_is_making) {
  compute_.hold();
  Result<std::string> id;
  std::thread creator([&] { id = create(input()); });
  EXPECT_TRUE(compute_.wait_until([](auto& compute) { return !compute.launched_.empty(); }));
  engine_->resume();
  EXPECT_EQ(state().stacks.at("shop").status, "CREATE_IN_PROGRESS");
  compute_.release();
  creator.join();
  EXPECT_TRUE(id);
}

TEST_F(EngineTest, refuses_names_and_tags_before_anything_is_made) {
  CreateInput in = input();
  in.name = "1shop";
  EXPECT_EQ(engine_->validate(in).error().code, "ValidationError");
  in.name = "shop_1";
  EXPECT_EQ(create(in).error().code, "ValidationError");
  in.name = "shop";
  in.tags = {{"aws:cloudformation:stack-id", "x"}};
  EXPECT_EQ(create(in).error().code, "ValidationError");
  in.tags = {{"team", "a"}};
  ASSERT_TRUE(create(in));
  EXPECT_EQ(state().instances.begin()->second.tags.at("team"), "a");
  EXPECT_EQ(engine_->validate(in).error().code, "AlreadyExistsException");
  EXPECT_EQ(create(in).error().code, "AlreadyExistsException");
}

TEST_F(EngineTest, a_stack_is_worked_on_once_at_a_time) {
  compute_.hold();
  Result<std::string> id;
  std::thread creator([&] { id = create(input()); });
  EXPECT_TRUE(compute_.wait_until([](auto& compute) { return !compute.launched_.empty(); }));
  EXPECT_EQ(engine_->remove("shop", {}).error().code, "OperationInProgress");
  EXPECT_EQ(engine_->create(input(), {}).error().code, "OperationInProgress");
  compute_.release();
  creator.join();
  EXPECT_TRUE(id);
}

TEST_F(EngineTest, a_template_with_faults_makes_nothing) {
  const auto id = create(input("Resources:\n  A: {Type: AWS::EC2::Instance}\n"));
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, "ValidationError");
  EXPECT_THAT(id.error().message, HasSubstr("shop.yaml:2:3: Resources.A.Properties: ImageId"));
  expect_nothing_left();
}

TEST_F(EngineTest, secrets_are_not_kept) {
  CreateInput in = input(R"(
Parameters: {Secret: {Type: String, NoEcho: true}}
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: group}
)");
  in.parameters["Secret"] = "hush";
  ASSERT_TRUE(create(in));
  EXPECT_EQ(state().stacks.at("shop").parameters.at("Secret"), "****");
}

}  // namespace
}  // namespace weir::stacks
