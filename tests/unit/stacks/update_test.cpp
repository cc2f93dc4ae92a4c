// Updates of stacks: what they change, replace and remove, and that a failed or interrupted one
// leaves the stack as it was.
#include <fmt/format.h>

#include "engine_fixture.hpp"
#include "model/attributes.hpp"
#include "stacks/changes.hpp"

namespace weir::stacks {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// A text with parts put in place of others.
std::string with(std::string text, std::vector<std::pair<std::string, std::string>> parts) {
  for (const auto& [from, to] : parts) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
  }
  return text;
}

class UpdateTest : public RecordedTest {
 protected:
  Result<std::string> update(const std::string& body) {
    return engine_->update(input(body), handler());
  }
  std::vector<std::string> planned(const std::string& body) {
    std::vector<std::string> out;
    const auto plan = engine_->plan_update(input(body));
    EXPECT_TRUE(plan) << plan.error().message;
    if (!plan) return out;
    for (const PlannedChange& change : plan->changes) {
      static constexpr const char* names[] = {"add", "change", "replace", "remove"};
      std::string line =
          fmt::format("{} {}", names[static_cast<int>(change.action)], change.logical_id);
      for (const std::string& property : change.properties) line += " " + property;
      out.push_back(std::move(line));
    }
    return out;
  }
  const model::StackResource& resource(const State& now, const std::string& name) {
    const auto& resources = now.stacks.at("shop").resources;
    return *std::ranges::find(resources, name, &model::StackResource::logical_id);
  }
  std::string id_of(const std::string& name) { return resource(state(), name).physical_id; }
  const std::string web{web_template};
};

TEST_F(UpdateTest, the_same_template_changes_nothing) {
  ASSERT_TRUE(create(input(web)));
  EXPECT_THAT(planned(web), IsEmpty());
  const auto updated = update(web);
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code, "ValidationError");
  EXPECT_EQ(updated.error().message, "No updates are to be performed.");
  EXPECT_EQ(state().stacks.at("shop").status, "CREATE_COMPLETE");
}

TEST_F(UpdateTest, an_attribute_that_is_no_longer_named_has_its_default_again) {
  const std::string body =
      with(web, {{"{Port: 80, Targets:",
                  "{Port: 80, TargetGroupAttributes: [{Key: "
                  "deregistration_delay.timeout_seconds, Value: 5}], Targets:"}});
  ASSERT_TRUE(create(input(body)));
  const auto delay = [&] {
    return model::deregistration_delay_seconds(state().target_groups.at(id_of("Targets")));
  };
  EXPECT_EQ(delay(), 5);
  ASSERT_TRUE(update(web));
  EXPECT_EQ(delay(), 300);
}

TEST_F(UpdateTest, changes_in_place_what_can_be) {
  ASSERT_TRUE(create(input(web)));
  const std::string targets = id_of("Targets");
  const std::string group = id_of("Group");
  const std::string body =
      with(web, {{"{GroupDescription: web}",
                  "{GroupDescription: web, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 22, "
                  "ToPort: 22, CidrIp: 10.0.0.0/8}], Tags: [{Key: team, Value: a}]}"},
                 {"{Port: 80, Targets:",
                  "{Port: 80, HealthCheckPath: /ok, TargetGroupAttributes: [{Key: "
                  "deregistration_delay.timeout_seconds, Value: 5}], Targets:"}});
  EXPECT_THAT(planned(body), ElementsAre("change Group SecurityGroupIngress Tags",
                                         "change Targets HealthCheckPath TargetGroupAttributes"));
  const auto updated = update(body);
  ASSERT_TRUE(updated) << updated.error().message;
  const State now = state();
  EXPECT_EQ(now.stacks.at("shop").status, "UPDATE_COMPLETE");
  EXPECT_FALSE(now.stacks.at("shop").before);
  EXPECT_EQ(id_of("Targets"), targets);
  EXPECT_EQ(now.target_groups.at(targets).health_check.path, "/ok");
  EXPECT_EQ(now.target_groups.at(targets).attributes.at("deregistration_delay.timeout_seconds"),
            "5");
  // The rule of the other resource stays.
  EXPECT_THAT(now.security_groups.at(group).ingress, SizeIs(2));
  EXPECT_EQ(now.security_groups.at(group).tags.at("team"), "a");
  EXPECT_THAT(planned(body), IsEmpty());

  ASSERT_TRUE(update(web));
  EXPECT_THAT(state().security_groups.at(group).ingress, SizeIs(1));
  EXPECT_THAT(state().security_groups.at(group).tags, Not(Contains(testing::Key("team"))));
  EXPECT_EQ(state().target_groups.at(targets).health_check.path, "/");
}

TEST_F(UpdateTest, replaces_what_must_be_and_follows_the_new_one) {
  ASSERT_TRUE(create(input(web)));
  const std::string old = id_of("Web");
  const std::string body = with(web, {{"m4.large", "t2.large"}});
  EXPECT_THAT(planned(body), ElementsAre("replace Web InstanceType", "change Targets Targets",
                                         "change Named HealthCheckPath"));
  events_.clear();
  const auto updated = update(body);
  ASSERT_TRUE(updated) << updated.error().message;
  const State now = state();
  const std::string replacement = id_of("Web");
  EXPECT_NE(replacement, old);
  EXPECT_EQ(now.instances.at(replacement).type, "t2.large");
  EXPECT_EQ(now.instances.at(old).state, model::InstanceState::terminated);
  EXPECT_EQ(living_instances(), 1U);
  EXPECT_EQ(now.stacks.at("shop").outputs[0].value, now.instances.at(replacement).private_ip);
  EXPECT_THAT(now.stacks.at("shop").discarded, IsEmpty());
  EXPECT_LT(index_of("Named UPDATE_COMPLETE"), index_of("Web DELETE_IN_PROGRESS"));
  EXPECT_LT(index_of("shop UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), index_of("Web DELETE_COMPLETE"));
  EXPECT_EQ(events_.back(), "shop UPDATE_COMPLETE");
  ASSERT_TRUE(engine_->remove("shop", handler()));
  expect_nothing_left();
}

TEST_F(UpdateTest, adds_and_removes) {
  ASSERT_TRUE(create(input(web)));
  const std::string body =
      with(web, {{"  Named:\n    Type: AWS::ElasticLoadBalancingV2::TargetGroup\n    Properties: "
                  "{Name: taken, Port: 80, HealthCheckPath: !Sub \"/${Web.PrivateIp}\"}\n",
                  "  Other:\n    Type: AWS::ElasticLoadBalancingV2::TargetGroup\n    Properties: "
                  "{Name: other, Port: 80}\n"}});
  EXPECT_THAT(planned(body), ElementsAre("add Other", "remove Named"));
  ASSERT_TRUE(update(body));
  std::set<std::string> names;
  for (const auto& [arn, group] : state().target_groups) names.insert(group.name);
  EXPECT_TRUE(names.contains("other"));
  EXPECT_FALSE(names.contains("taken"));
  EXPECT_THAT(events_, Contains("Other CREATE_COMPLETE"));
  EXPECT_THAT(events_, Contains("Named DELETE_COMPLETE"));
}

TEST_F(UpdateTest, retained_resources_stay_when_they_leave_or_are_replaced) {
  const std::string body = R"(
Resources:
  Kept:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    DeletionPolicy: Retain
    Properties: {Name: kept, Port: 80}
  Again:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    UpdateReplacePolicy: Retain
    Properties: {Port: 80}
)";
  ASSERT_TRUE(create(input(body)));
  ASSERT_TRUE(update(R"(
Resources:
  Again:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    UpdateReplacePolicy: Retain
    Properties: {Port: 81}
)"));
  EXPECT_THAT(state().target_groups, SizeIs(3));
  EXPECT_THAT(events_, Contains("Kept DELETE_SKIPPED"));
  EXPECT_THAT(events_, Contains("Again DELETE_SKIPPED"));
}

TEST_F(UpdateTest, what_has_a_name_of_its_own_is_not_replaced_under_it) {
  ASSERT_TRUE(create(input(web)));
  const auto updated = update(with(web, {{"Name: taken, Port: 80", "Name: taken, Port: 81"}}));
  ASSERT_FALSE(updated);
  EXPECT_THAT(updated.error().message, HasSubstr("Rename taken and update the stack again."));
  EXPECT_EQ(state().stacks.at("shop").status, "CREATE_COMPLETE");
}

TEST_F(UpdateTest, types_do_not_change) {
  ASSERT_TRUE(create(input(web)));
  const auto updated =
      update(with(web, {{"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"}}));
  ASSERT_FALSE(updated);
  EXPECT_THAT(updated.error().message, HasSubstr("Update of resource type is not permitted."));
}

TEST_F(UpdateTest, tags_of_the_stack_reach_all_that_has_tags) {
  ASSERT_TRUE(create(input(web)));
  CreateInput in = input(web);
  in.tags = {{"team", "a"}};
  ASSERT_TRUE(engine_->update(in, handler()));
  const State now = state();
  EXPECT_EQ(now.instances.at(id_of("Web")).tags.at("team"), "a");
  EXPECT_EQ(now.target_groups.at(id_of("Targets")).tags.at("team"), "a");
  EXPECT_EQ(now.security_groups.at(id_of("Group")).tags.at("team"), "a");
  ASSERT_TRUE(update(web));
  EXPECT_THAT(state().instances.at(id_of("Web")).tags, Not(Contains(testing::Key("team"))));
}

// Changes, replaces, adds and removes at once; what is added cannot be made.
std::string failing(const std::string& web) {
  return with(web, {{"{GroupDescription: web}",
                     "{GroupDescription: web, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: "
                     "22, ToPort: 22, CidrIp: 10.0.0.0/8}]}"},
                    {"m4.large", "t2.large"},
                    {"{Port: 80, Targets:", "{Port: 80, HealthCheckPath: /ok, Targets:"},
                    {"Name: taken", "Name: foreign"},
                    {"Outputs:",
                     "  New:\n    Type: AWS::EC2::SecurityGroup\n    Properties: "
                     "{GroupDescription: new}\nOutputs:"}});
}

TEST_F(UpdateTest, a_failed_update_leaves_the_stack_as_it_was) {
  ASSERT_TRUE(create(input(web)));
  control::CreateTargetGroupInput foreign;
  foreign.name = "foreign";
  foreign.port = 9999;
  ASSERT_TRUE(elb_->create_target_group(foreign));
  const State before = state();
  const auto updated = update(failing(web));
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code, "UpdateFailed");
  EXPECT_THAT(updated.error().message, HasSubstr("Named (AWS::ElasticLoadBalancingV2::"));
  EXPECT_THAT(updated.error().message, HasSubstr("The stack is as it was before."));
  const State now = state();
  const model::Stack& stack = now.stacks.at("shop");
  EXPECT_EQ(stack.status, "UPDATE_ROLLBACK_COMPLETE");
  EXPECT_EQ(stack.template_body, web);
  EXPECT_THAT(stack.discarded, IsEmpty());
  EXPECT_FALSE(stack.before);
  for (const auto& old : before.stacks.at("shop").resources) {
    EXPECT_EQ(resource(now, old.logical_id).physical_id, old.physical_id);
    EXPECT_EQ(resource(now, old.logical_id).properties, old.properties);
  }
  EXPECT_THAT(stack.resources, SizeIs(5));
  EXPECT_EQ(now.target_groups.size(), before.target_groups.size());
  EXPECT_EQ(now.security_groups.size(), before.security_groups.size());
  EXPECT_EQ(now.target_groups.at(id_of("Targets")).health_check.path, "/");
  EXPECT_THAT(now.security_groups.at(id_of("Group")).ingress, SizeIs(1));
  EXPECT_EQ(living_instances(), 1U);
  EXPECT_THAT(planned(web), IsEmpty());
}

// The daemon ends after every commit of an update in turn: the next one has the old stack or the
// new one, and nothing besides.
TEST_F(UpdateTest, an_update_is_finished_or_rolled_back_whenever_the_daemon_ended) {
  record();
  ASSERT_TRUE(create(input(web)));
  moments_.clear();
  const auto updated = update(failing(web));
  ASSERT_TRUE(updated) << updated.error().message;
  end();
  ASSERT_GT(moments_.size(), 10U);
  std::set<std::string> outcomes;
  for (std::size_t i = 0; i < moments_.size(); ++i) {
    SCOPED_TRACE(i);
    FakeCompute compute;
    FakeDataPlane data_plane;
    for (const std::string& id : moments_[i].running) compute.add_running(id);
    const auto registry = control::open_registry(std::make_shared<control::Disk>(moments_[i].disk));
    ASSERT_NE(registry, nullptr);
    control::Ec2 ec2(*registry, compute);
    ASSERT_TRUE(ec2.ensure_default_vpc("172.31.0.0/16"));
    ASSERT_TRUE(ec2.adopt());
    control::Elb elb(*registry, data_plane);
    Engine engine(*registry, elb, ec2);
    engine.resume();
    const State now = copy_of(*registry);
    const model::Stack& stack = now.stacks.at("shop");
    outcomes.insert(stack.status);
    const bool is_new = stack.status == "UPDATE_COMPLETE";
    EXPECT_TRUE(is_new || stack.status == "UPDATE_ROLLBACK_COMPLETE") << stack.status;
    EXPECT_THAT(stack.discarded, IsEmpty());
    EXPECT_THAT(now.security_groups, SizeIs(is_new ? 3 : 2));
    EXPECT_THAT(now.target_groups, SizeIs(2));
    EXPECT_EQ(stack.template_body == web, !is_new);
    EXPECT_THAT(compute.look([](auto& seen) { return seen.running_; }),
                ElementsAre(resource(now, "Web").physical_id));
    EXPECT_TRUE(engine.remove("shop", {}));
    EXPECT_THAT(copy_of(*registry).security_groups, SizeIs(1));
    EXPECT_THAT(copy_of(*registry).target_groups, IsEmpty());
  }
  EXPECT_THAT(outcomes, SizeIs(2));
}

TEST(Changes, MapsWithoutOrderListsWithOne) {
  const auto read = [](const char* text) { return *read_properties(text); };
  const Value a = read(R"({"A":{"x":"1","y":["1","2"]},"B":"true","C":"1"})");
  EXPECT_THAT(changed_properties(a, read(R"({"B":true,"A":{"y":["1","2"],"x":1},"C":"1"})")),
              IsEmpty());
  EXPECT_THAT(changed_properties(a, read(R"({"A":{"x":"1","y":["2","1"]},"B":"true","D":"1"})")),
              ElementsAre("A", "C", "D"));
  EXPECT_FALSE(read_properties(""));
}

}  // namespace
}  // namespace weir::stacks
