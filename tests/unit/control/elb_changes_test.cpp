// What modifies load balancers, listeners, rules and target groups.
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "control/arn.hpp"
#include "control/elb_checks.hpp"
#include "elb_fixture.hpp"

namespace weir::control {
namespace {

class ElbChanges : public ElbTest {
 protected:
  void SetUp() override {
    ElbTest::SetUp();
    balancer_ = make_balancer();
    group_ = make_group("g1");
    listener_ = make_listener(balancer_.arn, group_);
  }
  std::string make_rule(int priority) {
    const auto made = elb_->create_rule(rule_input(listener_, priority, group_));
    EXPECT_TRUE(made) << made.error().message;
    return made ? made->arn : "";
  }
  // With the numbers of AWS, of which one is changed.
  void limit(std::size_t Limits::*which, std::size_t number) {
    limits_ = raised_limits();
    limits_.*which = number;
    elb_ = std::make_unique<Elb>(*registry_, data_plane_, limits_);
  }

  model::LoadBalancer balancer_;
  std::string group_;
  std::string listener_;
  Limits limits_ = raised_limits();
};

// ---------------------------------------------------------------- load balancers
TEST_F(ElbChanges, AttributesAddUpAndAreCheckedTogether) {
  ASSERT_TRUE(elb_->modify_load_balancer_attributes(balancer_.arn,
                                                    {{"idle_timeout.timeout_seconds", "30"}}));
  const auto changed = elb_->modify_load_balancer_attributes(
      balancer_.arn, {{"deletion_protection.enabled", "true"}});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->attributes, (model::Attributes{{"deletion_protection.enabled", "true"},
                                                    {"idle_timeout.timeout_seconds", "30"}}));
  EXPECT_EQ(code_of(elb_->delete_load_balancer(balancer_.arn)), "OperationNotPermitted");
  const auto refused = elb_->modify_load_balancer_attributes(
      balancer_.arn, {{"idle_timeout.timeout_seconds", "4001"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "'idle_timeout.timeout_seconds' value '4001' must be between '1-4000' inclusive");
  EXPECT_EQ(copy_of(*registry_).load_balancers.at(balancer_.arn).attributes, changed->attributes);
  EXPECT_EQ(code_of(elb_->modify_load_balancer_attributes("arn:x", {})), "LoadBalancerNotFound");
}

TEST_F(ElbChanges, AskedForAgainItIsTheSameWhateverWasSetSince) {
  ASSERT_TRUE(elb_->modify_load_balancer_attributes(balancer_.arn,
                                                    {{"idle_timeout.timeout_seconds", "30"}}));
  ASSERT_TRUE(elb_->modify_target_group_attributes(group_, {{"stickiness.enabled", "true"}}));
  ASSERT_TRUE(elb_->modify_listener_attributes(
      listener_, {{"routing.http.response.server.enabled", "false"}}));
  EXPECT_EQ(make_balancer().arn, balancer_.arn);
  EXPECT_EQ(make_group("g1"), group_);
  EXPECT_EQ(make_listener(balancer_.arn, group_), listener_);
  EXPECT_EQ(copy_of(*registry_).target_groups.at(group_).attributes.size(), 1U);
  CreateLoadBalancerInput other = balancer_input();
  other.attributes = {{"idle_timeout.timeout_seconds", "31"}};
  EXPECT_EQ(code_of(elb_->create_load_balancer(other)), "DuplicateLoadBalancerName");
}

TEST_F(ElbChanges, SecurityGroupsAreReplaced) {
  const auto changed = elb_->set_security_groups(balancer_.arn, {"sg-d"});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->security_group_ids, std::vector<std::string>{"sg-d"});
  EXPECT_EQ(code_of(elb_->set_security_groups(balancer_.arn, {"sg-x"})), "InvalidSecurityGroup");
  EXPECT_EQ(code_of(elb_->set_security_groups(balancer_.arn, {})), "ValidationError");
  EXPECT_EQ(code_of(elb_->set_security_groups("arn:x", {"sg-d"})), "LoadBalancerNotFound");
}

TEST_F(ElbChanges, ASubnetThatStaysKeepsItsNode) {
  ASSERT_TRUE(registry_->update([](Draft& draft) -> Status {
    draft.put(subnet("subnet-e", "us-east-1e", "172.31.80.0/20"));
    return {};
  }));
  const auto changed = elb_->set_subnets(balancer_.arn, {"subnet-e", "subnet-b"});
  ASSERT_TRUE(changed) << changed.error().message;
  ASSERT_EQ(changed->nodes.size(), 2U);
  EXPECT_EQ(changed->nodes[0].zone, "us-east-1e");
  EXPECT_EQ(changed->nodes[0].private_ip, "172.31.80.4");
  EXPECT_EQ(changed->nodes[1].private_ip, balancer_.nodes[1].private_ip);
  EXPECT_EQ(code_of(elb_->set_subnets(balancer_.arn, {"subnet-a"})), "ValidationError");
  EXPECT_EQ(code_of(elb_->set_subnets(balancer_.arn, {"subnet-a", "subnet-x"})), "SubnetNotFound");
  EXPECT_EQ(code_of(elb_->set_subnets(balancer_.arn, {"subnet-a", "subnet-a2"})),
            "InvalidConfigurationRequest");
}

TEST_F(ElbChanges, ATargetInAZoneThatGoesIsUnused) {
  ASSERT_TRUE(registry_->update([](Draft& draft) -> Status {
    draft.put(subnet("subnet-e", "us-east-1e", "172.31.80.0/20"));
    return {};
  }));
  ASSERT_TRUE(elb_->register_targets(group_, {{id_a, {}, {}}}));
  EXPECT_EQ(healths(group_), std::vector<std::string>{"initial Elb.RegistrationInProgress"});
  ASSERT_TRUE(elb_->set_subnets(balancer_.arn, {"subnet-e", "subnet-b"}));
  EXPECT_EQ(healths(group_), std::vector<std::string>{"unused Target.NotInUse"});
}

TEST_F(ElbChanges, AddressTypesAndPools) {
  EXPECT_EQ(elb_->set_ip_address_type(balancer_.arn, "ipv4")->ip_address_type, "ipv4");
  EXPECT_EQ(code_of(elb_->set_ip_address_type(balancer_.arn, "dualstack")),
            "InvalidConfigurationRequest");
  EXPECT_EQ(code_of(elb_->set_ip_address_type(balancer_.arn, "ipv5")), "ValidationError");
  EXPECT_EQ(elb_->modify_ip_pools(balancer_.arn, "ipam-pool-0a1B")->ipam_pool_id, "ipam-pool-0a1B");
  EXPECT_EQ(elb_->modify_ip_pools(balancer_.arn, "")->ipam_pool_id, "");
  EXPECT_EQ(code_of(elb_->modify_ip_pools(balancer_.arn, "ipam-pool-")), "ValidationError");
  EXPECT_EQ(code_of(elb_->modify_ip_pools(balancer_.arn, "pool")), "ValidationError");
  EXPECT_EQ(code_of(elb_->modify_ip_pools("arn:x", "")), "LoadBalancerNotFound");
}

TEST_F(ElbChanges, CapacityIsReservedAndLetGo) {
  limits_ = aws_limits();
  elb_ = std::make_unique<Elb>(*registry_, data_plane_, limits_);
  EXPECT_EQ(elb_->modify_capacity_reservation({balancer_.arn, 100, false})->capacity.units, 100);
  EXPECT_EQ(elb_->modify_capacity_reservation({balancer_.arn, 50, false})->capacity.units, 50);
  EXPECT_EQ(elb_->modify_capacity_reservation({balancer_.arn, {}, true})->capacity.units, 0);
  EXPECT_EQ(elb_->modify_capacity_reservation({balancer_.arn, 60, false})->capacity.units, 60);
  EXPECT_EQ(code_of(elb_->modify_capacity_reservation({balancer_.arn, 59, false})),
            "CapacityDecreaseRequestLimitExceeded");
  EXPECT_EQ(code_of(elb_->modify_capacity_reservation({balancer_.arn, 1501, false})),
            "CapacityUnitsLimitExceeded");
  EXPECT_EQ(code_of(elb_->modify_capacity_reservation({balancer_.arn, 0, false})),
            "InvalidConfigurationRequest");
  EXPECT_EQ(code_of(elb_->modify_capacity_reservation({balancer_.arn, {}, false})),
            "ValidationError");
  EXPECT_EQ(code_of(elb_->modify_capacity_reservation({balancer_.arn, 1, true})),
            "ValidationError");
}

// ---------------------------------------------------------------- target groups
TEST_F(ElbChanges, HealthChecksChangeAsAWhole) {
  ModifyTargetGroupInput input;
  input.target_group_arn = group_;
  input.health_check_path = "/up";
  input.health_check_interval_seconds = 10;
  const auto changed = elb_->modify_target_group(input);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->health_check.path, "/up");
  EXPECT_EQ(changed->health_check.interval_seconds, 10);
  EXPECT_EQ(changed->health_check.timeout_seconds, 5);
  input.health_check_interval_seconds = 5;  // not above the timeout
  EXPECT_EQ(code_of(elb_->modify_target_group(input)), "ValidationError");
  input.health_check_interval_seconds = {};
  input.health_check_protocol = "HTTPS";
  EXPECT_EQ(code_of(elb_->modify_target_group(input)), "UnsupportedProtocol");
  input.target_group_arn = "arn:x";
  EXPECT_EQ(code_of(elb_->modify_target_group(input)), "TargetGroupNotFound");
}

TEST_F(ElbChanges, TargetGroupAttributesAreCheckedTogether) {
  ASSERT_TRUE(elb_->modify_target_group_attributes(
      group_, {{"load_balancing.algorithm.type", "least_outstanding_requests"}}));
  EXPECT_EQ(code_of(elb_->modify_target_group_attributes(group_,
                                                         {{"slow_start.duration_seconds", "30"}})),
            "InvalidConfigurationRequest");
  EXPECT_EQ(elb_->modify_target_group_attributes(group_, {{"stickiness.enabled", "true"}})
                ->attributes.size(),
            2U);
  EXPECT_EQ(code_of(elb_->modify_target_group_attributes("arn:x", {})), "TargetGroupNotFound");
}

TEST_F(ElbChanges, AMirrorExistsAndIsKeptWhileItIsOne) {
  const std::string key = "weir.mirror.target_group_arn";
  const std::string mirror = make_group("mirror");
  const std::string missing =
      "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/gone/0123456789abcdef";
  CreateTargetGroupInput input;
  input.name = "source";
  input.port = 80;
  input.attributes = {{key, missing}};
  EXPECT_EQ(code_of(elb_->create_target_group(input)), "TargetGroupNotFound");
  EXPECT_EQ(code_of(elb_->modify_target_group_attributes(group_, {{key, missing}})),
            "TargetGroupNotFound");
  EXPECT_EQ(code_of(elb_->modify_target_group_attributes(group_, {{key, group_}})),
            "InvalidConfigurationRequest");
  ASSERT_TRUE(elb_->modify_target_group_attributes(group_, {{key, mirror}}));
  EXPECT_EQ(code_of(elb_->delete_target_group(mirror)), "ResourceInUse");
  input.attributes = {{key, mirror}};
  const auto source = elb_->create_target_group(input);
  ASSERT_TRUE(source);
  ASSERT_TRUE(elb_->modify_target_group_attributes(group_, {{key, ""}}));
  EXPECT_EQ(code_of(elb_->delete_target_group(mirror)), "ResourceInUse");
  ASSERT_TRUE(elb_->delete_target_group(source->arn));
  EXPECT_TRUE(elb_->delete_target_group(mirror));
}

// ---------------------------------------------------------------- listeners
TEST_F(ElbChanges, AListenerTakesAnotherPort) {
  data_plane_.offset = 8000;
  const auto changed = elb_->modify_listener({.listener_arn = listener_, .port = 81});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->port, 81);
  EXPECT_EQ(changed->bound_port, 8081);
  make_listener(balancer_.arn, group_, 82);
  const auto refused = elb_->modify_listener({.listener_arn = listener_, .port = 82});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ValidationError");
  EXPECT_EQ(refused.error().message, "Listener port '82' is already in use");
  EXPECT_EQ(code_of(elb_->modify_listener({.listener_arn = listener_, .port = 0})),
            "ValidationError");
  data_plane_.taken.insert(83);
  EXPECT_EQ(code_of(elb_->modify_listener({.listener_arn = listener_, .port = 83})), "PortInUse");
  EXPECT_EQ(copy_of(*registry_).listeners.at(listener_).port, 81);
  // A listener of that port can be made now.
  EXPECT_FALSE(make_listener(balancer_.arn, group_, 80).empty());
}

TEST_F(ElbChanges, AListenerWhoseRulesValidateTokensKeepsHttps) {
  ASSERT_TRUE(registry_->update([&](Draft& draft) -> Status {
    model::Listener https = draft.state().listeners.at(listener_);
    https.protocol = "HTTPS";
    draft.put(https);
    return {};
  }));
  const model::JwtValidationAction jwt{"https://idp.example/keys", "https://idp.example", {}};
  CreateRuleInput input;
  input.listener_arn = listener_;
  input.priority = 900;
  input.conditions.emplace_back().values = {"/api/*"};
  input.actions = {{1, jwt}, {2, model::FixedResponseAction{}}};
  const auto rule = elb_->create_rule(input);
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(code_of(elb_->modify_listener({.listener_arn = listener_, .protocol = "HTTP"})),
            "InvalidLoadBalancerAction");
  ASSERT_TRUE(elb_->delete_rule(rule->arn));
  EXPECT_TRUE(elb_->modify_listener({.listener_arn = listener_, .protocol = "HTTP"}));
}

TEST_F(ElbChanges, AListenerForwardsElsewhere) {
  const std::string other = make_group("g2");
  ASSERT_TRUE(elb_->modify_listener(
      {.listener_arn = listener_, .default_actions = {{forward({{other, 1}})}}}));
  // What it no longer forwards to is free.
  EXPECT_TRUE(elb_->delete_target_group(group_));
  EXPECT_EQ(code_of(elb_->delete_target_group(other)), "ResourceInUse");
  EXPECT_EQ(code_of(elb_->modify_listener(
                {.listener_arn = listener_, .default_actions = {{forward({{"arn:x", 1}})}}})),
            "TargetGroupNotFound");
  EXPECT_EQ(code_of(elb_->modify_listener({.listener_arn = "arn:x"})), "ListenerNotFound");
  EXPECT_EQ(code_of(elb_->modify_listener({.listener_arn = listener_, .protocol = "HTTPS"})),
            "ValidationError");
  EXPECT_EQ(code_of(elb_->modify_listener({.listener_arn = listener_, .protocol = "TCP"})),
            "ValidationError");
}

TEST_F(ElbChanges, ListenerAttributes) {
  const auto changed = elb_->modify_listener_attributes(
      listener_, {{"routing.http.response.server.enabled", "false"}});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->attributes.size(), 1U);
  EXPECT_EQ(
      code_of(elb_->modify_listener_attributes(listener_, {{"tcp.idle_timeout.seconds", "60"}})),
      "ValidationError");
  EXPECT_EQ(code_of(elb_->modify_listener_attributes("arn:x", {})), "ListenerNotFound");
}

// ---------------------------------------------------------------- rules
TEST_F(ElbChanges, ARuleChangesInPart) {
  const std::string rule = make_rule(10);
  ModifyRuleInput input;
  input.rule_arn = rule;
  input.conditions = {{path("/other")}};
  const auto changed = elb_->modify_rule(input);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->conditions[0].values[0], "/other");
  EXPECT_EQ(changed->priority, 10);
  EXPECT_EQ(changed->actions.size(), 1U);
  const std::string other = make_group("g2");
  ASSERT_TRUE(elb_->modify_rule({.rule_arn = rule, .actions = {{forward({{other, 1}})}}}));
  EXPECT_EQ(code_of(elb_->delete_target_group(other)), "ResourceInUse");
  model::Transform transform{model::TransformType::url_rewrite, "^/a", "/b"};
  ASSERT_TRUE(elb_->modify_rule({.rule_arn = rule, .transforms = {{transform}}}));
  // A fixed response has no use for a transform, whichever comes first.
  EXPECT_FALSE(elb_->modify_rule(
      {.rule_arn = rule,
       .actions = {{model::Action{1, model::FixedResponseAction{200, "", ""}}}}}));
  ASSERT_TRUE(
      elb_->modify_rule({.rule_arn = rule, .transforms = {std::vector<model::Transform>{}}}));
  EXPECT_TRUE(copy_of(*registry_).rules.at(rule).transforms.empty());
  input.conditions = {std::vector<model::Condition>{}};
  EXPECT_EQ(code_of(elb_->modify_rule(input)), "ValidationError");
  input.rule_arn = "arn:x";
  input.conditions = {};
  EXPECT_EQ(code_of(elb_->modify_rule(input)), "RuleNotFound");
}

TEST_F(ElbChanges, TheDefaultRuleIsTheListeners) {
  const std::string rule = default_rule_arn(listener_);
  EXPECT_EQ(kind_of_arn(rule), ArnKind::rule);
  EXPECT_EQ(code_of(elb_->modify_rule({.rule_arn = rule})), "OperationNotPermitted");
  EXPECT_EQ(code_of(elb_->delete_rule(rule)), "OperationNotPermitted");
  EXPECT_EQ(code_of(elb_->set_rule_priorities({{rule, 1}})), "OperationNotPermitted");
  EXPECT_EQ(code_of(elb_->delete_rule(rule + "0")), "RuleNotFound");
}

TEST_F(ElbChanges, PrioritiesAreExchangedAtOnce) {
  const std::string first = make_rule(1);
  const std::string second = make_rule(2);
  const std::string third = make_rule(3);
  const auto changed = elb_->set_rule_priorities({{first, 2}, {second, 1}});
  ASSERT_TRUE(changed) << changed.error().message;
  const State state = copy_of(*registry_);
  EXPECT_EQ(state.rules.at(first).priority, 2);
  EXPECT_EQ(state.rules.at(second).priority, 1);
  const auto taken = elb_->set_rule_priorities({{first, 4}, {second, 3}});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, "PriorityInUse");
  EXPECT_EQ(taken.error().message, "Priority '3' is currently in use");
  EXPECT_EQ(copy_of(*registry_).rules.at(first).priority, 2);  // all or none
  EXPECT_EQ(code_of(elb_->set_rule_priorities({{first, 5}, {second, 5}})), "PriorityInUse");
  EXPECT_EQ(code_of(elb_->set_rule_priorities({{first, 5}, {first, 6}})), "ValidationError");
  EXPECT_EQ(code_of(elb_->set_rule_priorities({{first, 0}})), "ValidationError");
  EXPECT_EQ(code_of(elb_->set_rule_priorities({{"arn:x", 9}})), "RuleNotFound");
  EXPECT_EQ(code_of(elb_->set_rule_priorities({})), "ValidationError");
  EXPECT_TRUE(elb_->set_rule_priorities({{third, 3}}));  // its own
}

// ---------------------------------------------------------------- limits
TEST_F(ElbChanges, LimitsOfRecords) {
  limit(&Limits::load_balancers, 1);
  EXPECT_EQ(code_of(elb_->create_load_balancer(balancer_input("second"))), "TooManyLoadBalancers");
  EXPECT_TRUE(elb_->create_load_balancer(balancer_input()));  // the same again is no other one
  limit(&Limits::target_groups, 1);
  CreateTargetGroupInput group;
  group.name = "second";
  group.port = 80;
  EXPECT_EQ(code_of(elb_->create_target_group(group)), "TooManyTargetGroups");
  limit(&Limits::listeners_per_load_balancer, 1);
  EXPECT_EQ(code_of(elb_->create_listener(listener_input(balancer_.arn, group_, 81))),
            "TooManyListeners");
  limit(&Limits::rules_per_load_balancer, 1);
  EXPECT_TRUE(elb_->create_rule(rule_input(listener_, 1, group_)));
  EXPECT_EQ(code_of(elb_->create_rule(rule_input(listener_, 2, group_))), "TooManyRules");
}

TEST_F(ElbChanges, LimitsOfTargets) {
  limit(&Limits::targets_per_target_group, 1);
  ASSERT_TRUE(elb_->register_targets(group_, {{id_a, {}, {}}}));
  EXPECT_TRUE(elb_->register_targets(group_, {{id_a, {}, {}}}));
  EXPECT_EQ(code_of(elb_->register_targets(group_, {{id_b, {}, {}}})), "TooManyTargets");

  const std::string other = make_group("g2");
  limit(&Limits::targets_per_load_balancer, 2);
  ASSERT_TRUE(elb_->register_targets(other, {{id_a, {}, {}}, {id_b, {}, {}}}));  // not in use
  EXPECT_EQ(code_of(elb_->create_rule(rule_input(listener_, 1, other))), "TooManyTargets");
  EXPECT_EQ(code_of(elb_->register_targets(group_, {{id_a, 81, {}}, {id_a, 82, {}}})),
            "TooManyTargets");

  limit(&Limits::registrations_of_a_target_per_load_balancer, 2);
  EXPECT_TRUE(elb_->register_targets(group_, {{id_a, 81, {}}}));
  EXPECT_EQ(code_of(elb_->register_targets(group_, {{id_a, 82, {}}})),
            "TooManyRegistrationsForTargetId");

  limit(&Limits::target_groups_per_load_balancer, 1);
  EXPECT_EQ(code_of(elb_->create_rule(rule_input(listener_, 1, other))),
            "TooManyUniqueTargetGroupsPerLoadBalancer");
  EXPECT_TRUE(elb_->create_rule(rule_input(listener_, 1, group_)));
}

TEST(Limits, AreTheNumbersThatTheApiTells) {
  EXPECT_EQ(limits_named("aws")->rules_per_load_balancer, 100U);
  EXPECT_EQ(limits_named("raised"), &raised_limits());
  EXPECT_EQ(limits_named("other"), nullptr);
  EXPECT_EQ(limit_names().size(), 12U);
  for (const LimitName& each : limit_names()) {
    EXPECT_GE(each.value(raised_limits()), each.value(aws_limits())) << each.name;
  }
}

// ---------------------------------------------------------------- tags
TEST_F(ElbChanges, TagsOfEveryKind) {
  const std::vector<std::string> arns{balancer_.arn, group_, listener_, make_rule(1),
                                      default_rule_arn(listener_)};
  ASSERT_TRUE(elb_->add_tags(arns, {{"a", "1"}, {"b", "2"}}));
  ASSERT_TRUE(elb_->add_tags({group_}, {{"a", "3"}}));
  ASSERT_TRUE(elb_->remove_tags(arns, {"b", "none"}));
  const State state = copy_of(*registry_);
  for (const std::string& arn : arns) {
    const auto tags = tags_of(state, arn);
    ASSERT_TRUE(tags) << arn;
    EXPECT_EQ(*tags, (model::Tags{{"a", arn == group_ ? "3" : "1"}})) << arn;
  }
}

TEST_F(ElbChanges, TagsOfAllOrNone) {
  EXPECT_EQ(code_of(elb_->add_tags({balancer_.arn, "arn:x"}, {{"a", "1"}})), "ValidationError");
  const std::string gone = listener_ + "0";
  EXPECT_EQ(code_of(elb_->add_tags({balancer_.arn, gone}, {{"a", "1"}})), "ListenerNotFound");
  EXPECT_EQ(code_of(elb_->remove_tags({"arn:aws:elasticloadbalancing:us-east-1:1:truststore/x/1"},
                                      {"a"})),
            "TrustStoreNotFound");
  EXPECT_TRUE(copy_of(*registry_).load_balancers.at(balancer_.arn).tags.empty());
  model::Tags many;
  for (int i = 0; i < 50; ++i) many["k" + std::to_string(i)] = "v";
  ASSERT_TRUE(elb_->add_tags({group_}, many));
  EXPECT_EQ(code_of(elb_->add_tags({group_}, {{"one-more", ""}})), "TooManyTags");
  EXPECT_EQ(code_of(elb_->add_tags({group_}, {{"aws:x", ""}})), "ValidationError");
}

}  // namespace
}  // namespace weir::control
