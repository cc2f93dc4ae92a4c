#include <gmock/gmock.h>

#include <regex>

#include "base/clock.hpp"
#include "control/arn.hpp"
#include "elb_fixture.hpp"

namespace weir::control {
namespace {

using testing::MatchesRegex;

// ---------------------------------------------------------------- load balancers
TEST_F(ElbTest, ALoadBalancerHasANodeInEachSubnet) {
  const model::LoadBalancer made = make_balancer();
  EXPECT_THAT(made.arn,
              MatchesRegex("arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/"
                           "web/[0-9a-f]+"));
  EXPECT_THAT(made.dns_name, MatchesRegex("web-[0-9]+\\.us-east-1\\.elb\\.localhost"));
  ASSERT_EQ(made.nodes.size(), 2U);
  EXPECT_EQ(made.nodes[0].zone, "us-east-1a");
  EXPECT_EQ(made.nodes[0].private_ip, "172.31.0.6");  // after the two instances
  EXPECT_EQ(made.nodes[1].private_ip, "172.31.16.5");
  EXPECT_EQ(made.state, model::LoadBalancerState::provisioning);
  EXPECT_EQ(made.vpc_id, "vpc-1");
  // The next one's nodes do not take the same addresses.
  EXPECT_EQ(make_balancer("second").nodes[0].private_ip, "172.31.0.7");
}

TEST_F(ElbTest, AnInternalOneSaysSoInItsName) {
  CreateLoadBalancerInput input = balancer_input();
  input.scheme = "internal";
  EXPECT_THAT(elb_->create_load_balancer(input)->dns_name,
              MatchesRegex("internal-web-[0-9]+\\..*"));
}

TEST_F(ElbTest, TheDefaultSecurityGroupIsTakenWhereNoneIsGiven) {
  CreateLoadBalancerInput input = balancer_input();
  input.security_group_ids = {};
  EXPECT_EQ(elb_->create_load_balancer(input)->security_group_ids,
            std::vector<std::string>{"sg-d"});
}

TEST_F(ElbTest, ASecondCallWithTheSameSettingsGivesTheSameLoadBalancer) {
  const model::LoadBalancer made = make_balancer();
  CreateLoadBalancerInput again = balancer_input();
  again.subnet_ids = {"subnet-b", "subnet-a"};
  EXPECT_EQ(elb_->create_load_balancer(again)->arn, made.arn);
  again.tags["a"] = "b";
  const auto different = elb_->create_load_balancer(again);
  ASSERT_FALSE(different);
  EXPECT_EQ(different.error().code, "DuplicateLoadBalancerName");
  EXPECT_EQ(different.error().message,
            "A load balancer with the same name 'web' exists, but with different settings");
}

TEST_F(ElbTest, BadLoadBalancers) {
  const auto code = [&](auto change) {
    CreateLoadBalancerInput input = balancer_input();
    change(input);
    return code_of(elb_->create_load_balancer(input));
  };
  EXPECT_EQ(code([](auto& i) { i.name = "internal-x"; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.scheme = "public"; }), "InvalidScheme");
  EXPECT_EQ(code([](auto& i) { i.subnet_ids = {"subnet-a"}; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.subnet_ids = {}; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) {
              i.subnet_ids = {"subnet-a", "subnet-a2"};
            }),
            "InvalidConfigurationRequest");
  EXPECT_EQ(code([](auto& i) { i.subnet_ids = {"subnet-a", "subnet-x"}; }), "SubnetNotFound");
  EXPECT_EQ(code([](auto& i) { i.subnet_ids = {"subnet-a", "subnet-c"}; }), "InvalidSubnet");
  EXPECT_EQ(code([](auto& i) { i.security_group_ids = {"sg-x"}; }), "InvalidSecurityGroup");
  EXPECT_EQ(code([](auto& i) { i.ip_address_type = "ipv5"; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.attributes = {{"nonsense", "1"}}; }), "ValidationError");
  EXPECT_TRUE(copy_of(*registry_).load_balancers.empty());
}

TEST_F(ElbTest, DeletingALoadBalancerTakesListenersAndRulesButNotGroups) {
  const std::string balancer = make_balancer().arn;
  const std::string group = make_group("g1");
  const std::string listener = make_listener(balancer, group);
  ASSERT_TRUE(elb_->create_rule(rule_input(listener, 1, group)));
  ASSERT_TRUE(elb_->delete_load_balancer(balancer));
  const State state = copy_of(*registry_);
  EXPECT_TRUE(state.load_balancers.empty());
  EXPECT_TRUE(state.listeners.empty());
  EXPECT_TRUE(state.rules.empty());
  EXPECT_EQ(state.target_groups.size(), 1U);
  EXPECT_TRUE(elb_->delete_load_balancer(balancer));
}

TEST_F(ElbTest, DeletionProtectionProtects) {
  CreateLoadBalancerInput input = balancer_input();
  input.attributes = {{"deletion_protection.enabled", "true"}};
  const std::string arn = elb_->create_load_balancer(input)->arn;
  EXPECT_EQ(code_of(elb_->delete_load_balancer(arn)), "OperationNotPermitted");
}

// ---------------------------------------------------------------- target groups
TEST_F(ElbTest, TargetGroupsAreIdempotentByName) {
  const std::string group = make_group("g1");
  EXPECT_THAT(group, MatchesRegex("arn:aws:elasticloadbalancing:us-east-1:123456789012:"
                                  "targetgroup/g1/[0-9a-f]+"));
  EXPECT_EQ(make_group("g1"), group);
  CreateTargetGroupInput other;
  other.name = "g1";
  other.port = 81;
  EXPECT_EQ(code_of(elb_->create_target_group(other)), "DuplicateTargetGroupName");
}

TEST_F(ElbTest, BadTargetGroups) {
  const auto code = [&](auto change) {
    CreateTargetGroupInput input;
    input.name = "g1";
    input.port = 80;
    change(input);
    return code_of(elb_->create_target_group(input));
  };
  EXPECT_EQ(code([](auto& i) { i.name = "a--b"; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.port = std::nullopt; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.port = 70'000; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.protocol = "HTTPS"; }), "UnsupportedProtocol");
  EXPECT_EQ(code([](auto& i) { i.protocol = "TCP"; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.protocol_version = "HTTP3"; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.target_type = "pod"; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.target_type = "lambda"; }), "InvalidConfigurationRequest");
  EXPECT_EQ(code([](auto& i) { i.vpc_id = "vpc-x"; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.health_check.http_codes = "99"; }), "InvalidParameterValue");
  EXPECT_EQ(code([](auto& i) {
              i.attributes = {{"stickiness.enabled", "maybe"}};
            }),
            "ValidationError");
  EXPECT_TRUE(copy_of(*registry_).target_groups.empty());
}

TEST_F(ElbTest, AGroupInUseCannotBeDeleted) {
  const std::string group = make_group("g1");
  const std::string listener = make_listener(make_balancer().arn, group);
  const auto refused = elb_->delete_target_group(group);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ResourceInUse");
  EXPECT_EQ(refused.error().message,
            "Target group '" + group + "' is currently in use by a listener or a rule");
  ASSERT_TRUE(elb_->register_targets(group, {{id_a, {}, {}}}));
  ASSERT_TRUE(elb_->delete_listener(listener));
  EXPECT_TRUE(elb_->delete_target_group(group));
  EXPECT_TRUE(copy_of(*registry_).targets.empty());
  EXPECT_TRUE(elb_->delete_target_group(group));
}

// ---------------------------------------------------------------- targets
TEST_F(ElbTest, TargetsAreKeyedByIdAndPort) {
  const std::string group = make_group("g1");
  ASSERT_TRUE(elb_->register_targets(group, {{id_a, {}, {}}, {id_a, 8080, {}}, {id_b, {}, {}}}));
  ASSERT_TRUE(elb_->register_targets(group, {{id_a, 80, {}}}));
  const State state = copy_of(*registry_);
  EXPECT_EQ(state.targets.size(), 3U);
  EXPECT_EQ(state.targets.at(TargetKey{group, id_a, 8080}).zone, "us-east-1a");
}

TEST_F(ElbTest, OnlyRunningInstancesCanBeRegistered) {
  const std::string group = make_group("g1");
  const auto refused = elb_->register_targets(group, {{id_a, {}, {}}, {id_pending, {}, {}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "InvalidTarget");
  EXPECT_EQ(refused.error().message,
            std::string("The following targets are not in a running state and cannot be "
                        "registered: '") +
                id_pending + "'");
  EXPECT_TRUE(copy_of(*registry_).targets.empty());  // all or none
  EXPECT_EQ(code_of(elb_->register_targets(group, {{"i-00000000000000fff", {}, {}}})),
            "InvalidTarget");
  EXPECT_EQ(code_of(elb_->register_targets(group, {{"10.0.0.1", {}, {}}})), "ValidationError");
  EXPECT_EQ(code_of(elb_->register_targets(group, {{id_a, 0, {}}})), "ValidationError");
  EXPECT_EQ(code_of(elb_->register_targets(group, {})), "ValidationError");
  EXPECT_EQ(code_of(elb_->register_targets("arn:x", {{id_a, {}, {}}})), "TargetGroupNotFound");
}

TEST_F(ElbTest, AddressesMustBePrivate) {
  CreateTargetGroupInput input;
  input.name = "ips";
  input.port = 80;
  input.target_type = "ip";
  const std::string group = elb_->create_target_group(input)->arn;
  ASSERT_TRUE(elb_->register_targets(group, {{"172.31.0.9", {}, {}}, {"10.1.2.3", 81, "all"}}));
  const State state = copy_of(*registry_);
  EXPECT_EQ(state.targets.at(TargetKey{group, "172.31.0.9", 80}).zone, "us-east-1a");
  EXPECT_EQ(state.targets.at(TargetKey{group, "10.1.2.3", 81}).zone, "all");
  for (const TargetDescription& bad :
       {TargetDescription{"8.8.8.8", {}, "all"}, TargetDescription{"10.1.2.3", {}, {}},
        TargetDescription{"172.31.200.1", {}, "all"}, TargetDescription{id_a, {}, {}},
        TargetDescription{"172.31.0.9", {}, "us-east-1b"}, TargetDescription{"::1", {}, "all"}}) {
    EXPECT_EQ(code_of(elb_->register_targets(group, {bad})), "ValidationError") << bad.id;
  }
}

TEST_F(ElbTest, DeregisteringDrains) {
  const std::string group = make_group("g1");
  make_listener(make_balancer().arn, group);
  ASSERT_TRUE(elb_->register_targets(group, {{id_a, {}, {}}}));
  const std::int64_t before = wall_ms();
  ASSERT_TRUE(elb_->deregister_targets(group, {{id_a, {}, {}}, {"i-00000000000000fff", {}, {}}}));
  const TargetKey key{group, id_a, 80};
  const std::int64_t until = copy_of(*registry_).targets.at(key).draining_until_ms;
  EXPECT_GE(until, before + 300'000);
  EXPECT_LE(until, wall_ms() + 300'000);
  EXPECT_EQ(healths(group), std::vector<std::string>{"draining Target.DeregistrationInProgress"});
  elb_->finish_deregistrations();
  EXPECT_TRUE(copy_of(*registry_).targets.contains(key));
  // Registered again, it stops draining.
  ASSERT_TRUE(elb_->register_targets(group, {{id_a, {}, {}}}));
  EXPECT_EQ(copy_of(*registry_).targets.at(key).draining_until_ms, 0);
}

TEST_F(ElbTest, DrainingEndsWithTheDelayOrWithTheGroupsUse) {
  const std::string group = make_group("g1");
  const std::string listener = make_listener(make_balancer().arn, group);
  ASSERT_TRUE(elb_->register_targets(group, {{id_a, {}, {}}, {id_b, {}, {}}}));
  ASSERT_TRUE(elb_->deregister_targets(group, {{id_a, {}, {}}, {id_b, {}, {}}}));
  ASSERT_TRUE(registry_->update([&](Draft& draft) -> Status {
    model::Target target = draft.state().targets.at(TargetKey{group, id_a, 80});
    target.draining_until_ms = wall_ms() - 1;
    draft.put(std::move(target));
    return {};
  }));
  elb_->finish_deregistrations();
  EXPECT_EQ(copy_of(*registry_).targets.size(), 1U);
  ASSERT_TRUE(elb_->delete_listener(listener));
  elb_->finish_deregistrations();
  EXPECT_TRUE(copy_of(*registry_).targets.empty());
}

TEST_F(ElbTest, ADelayOfZeroOrAGroupOutOfUseDeregistersAtOnce) {
  const std::string unused = make_group("unused");
  ASSERT_TRUE(elb_->register_targets(unused, {{id_a, {}, {}}}));
  ASSERT_TRUE(elb_->deregister_targets(unused, {{id_a, {}, {}}}));
  const std::string fast = make_group("fast", {{"deregistration_delay.timeout_seconds", "0"}});
  make_listener(make_balancer().arn, fast);
  ASSERT_TRUE(elb_->register_targets(fast, {{id_a, {}, {}}}));
  ASSERT_TRUE(elb_->deregister_targets(fast, {{id_a, {}, {}}}));
  EXPECT_TRUE(copy_of(*registry_).targets.empty());
}

TEST_F(ElbTest, RegistrationsOfInstancesThatAreGoneAreRemoved) {
  const std::string group = make_group("g1");
  ASSERT_TRUE(elb_->register_targets(group, {{id_a, {}, {}}, {id_b, {}, {}}}));
  ASSERT_TRUE(registry_->update([&](Draft& draft) -> Status {
    draft.erase_instance(id_a);
    return {};
  }));
  elb_->finish_deregistrations();
  EXPECT_EQ(copy_of(*registry_).targets.size(), 1U);
}

TEST_F(ElbTest, HealthIsUnusedWithoutAListener) {
  const std::string group = make_group("g1");
  ASSERT_TRUE(elb_->register_targets(group, {{id_a, {}, {}}}));
  EXPECT_EQ(healths(group), std::vector<std::string>{"unused Target.NotInUse"});
}

TEST_F(ElbTest, HealthFollowsInstanceZoneAndChecks) {
  const std::string group = make_group("g1");
  make_listener(make_balancer().arn, group);
  ASSERT_TRUE(elb_->register_targets(group, {{id_a, {}, {}}, {id_b, {}, {}}, {id_c, {}, {}}}));
  data_plane_.healths[TargetKey{group, id_a, 80}] = {"", 0, "", "healthy", "", ""};
  EXPECT_EQ(healths(group),
            (std::vector<std::string>{"healthy", "initial Elb.RegistrationInProgress",
                                      "unused Target.NotInUse"}));
  const auto described = elb_->describe_target_health(group);
  EXPECT_EQ((*described)[0].target_id, id_a);
  EXPECT_EQ((*described)[0].port, 80);
  EXPECT_EQ((*described)[2].description,
            "Target is in an Availability Zone that is not enabled for the load balancer");
  set_state(id_a, InstanceState::stopped);
  set_state(id_b, InstanceState::terminated);
  const auto ended = elb_->describe_target_health(group);
  EXPECT_EQ((*ended)[0].reason, "Target.InvalidState");
  EXPECT_EQ((*ended)[0].description, "Target is in the stopped state");
  EXPECT_EQ((*ended)[1].description, "Target is in the terminated state");
  EXPECT_EQ(code_of(elb_->describe_target_health("arn:x")), "TargetGroupNotFound");
}

// ---------------------------------------------------------------- listeners
TEST_F(ElbTest, AListenerKnowsWhereItReallyListens) {
  data_plane_.offset = 8000;
  const std::string balancer = make_balancer().arn;
  const auto made = elb_->create_listener(listener_input(balancer, make_group("g1")));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->port, 80);
  EXPECT_EQ(made->bound_port, 8080);
  EXPECT_THAT(made->arn, MatchesRegex("arn:aws:elasticloadbalancing:us-east-1:123456789012:"
                                      "listener/app/web/[0-9a-f]+/[0-9a-f]+"));
}

TEST_F(ElbTest, ListenersAreUniqueByPort) {
  const std::string balancer = make_balancer().arn;
  const std::string first = make_group("g1");
  const std::string second = make_group("g2");
  const std::string listener = make_listener(balancer, first);
  EXPECT_EQ(make_listener(balancer, first), listener);
  const auto refused = elb_->create_listener(listener_input(balancer, second));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "DuplicateListener");
  EXPECT_EQ(refused.error().message,
            "A listener already exists on this port for this load balancer '" + balancer + "'");
  make_listener(balancer, second, 81);
}

TEST_F(ElbTest, BadListenersOpenNoPort) {
  const std::string balancer = make_balancer().arn;
  const std::string group = make_group("g1");
  const auto code = [&](auto change) {
    CreateListenerInput input = listener_input(balancer, group);
    change(input);
    return code_of(elb_->create_listener(input));
  };
  EXPECT_EQ(code([](auto& i) { i.protocol = "HTTPS"; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.protocol = "TCP"; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.port = std::nullopt; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.port = 0; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.default_actions = {}; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) {
              i.default_actions = {forward({{"arn:x", 1}})};
            }),
            "TargetGroupNotFound");
  EXPECT_EQ(code([](auto& i) { i.load_balancer_arn = "arn:x"; }), "LoadBalancerNotFound");
  EXPECT_EQ(
      code([&](auto& i) {
        i.default_actions = {{.order = 1, .config = model::ForwardAction{{{group, 1}}, true, 0}}};
      }),
      "ValidationError");
  EXPECT_TRUE(data_plane_.opened.empty());
}

TEST_F(ElbTest, APortThatIsTakenLeavesNoListener) {
  data_plane_.taken = {80};
  const std::string balancer = make_balancer().arn;
  EXPECT_EQ(code_of(elb_->create_listener(listener_input(balancer, make_group("g1")))),
            "PortInUse");
  EXPECT_TRUE(copy_of(*registry_).listeners.empty());
}

TEST_F(ElbTest, AGroupBelongsToOneLoadBalancer) {
  const std::string group = make_group("g1");
  const std::string other_group = make_group("g2");
  make_listener(make_balancer("one").arn, group);
  const std::string two = make_balancer("two").arn;
  const auto refused = elb_->create_listener(listener_input(two, group));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "TargetGroupAssociationLimit");
  EXPECT_EQ(refused.error().message,
            "The following target groups cannot be associated with more than one load balancer: " +
                group);
  const std::string listener = make_listener(two, other_group);
  EXPECT_EQ(code_of(elb_->create_rule(rule_input(listener, 1, group))),
            "TargetGroupAssociationLimit");
}

TEST_F(ElbTest, StoredPortsAreOpenedAgainAndFailuresKept) {
  const std::string balancer = make_balancer().arn;
  const std::string group = make_group("g1");
  make_listener(balancer, group, 80);
  const std::string second = make_listener(balancer, group, 81);
  data_plane_.taken = {80};
  data_plane_.offset = 8000;
  elb_->open_stored_ports();
  State state = copy_of(*registry_);
  EXPECT_EQ(state.load_balancers.at(balancer).state_reason, "ports 80 and 8080 are in use");
  EXPECT_EQ(state.listeners.at(second).bound_port, 8081);
  data_plane_.taken = {};
  elb_->open_stored_ports();
  EXPECT_EQ(copy_of(*registry_).load_balancers.at(balancer).state_reason, "");
}

// ---------------------------------------------------------------- rules
TEST_F(ElbTest, PrioritiesAreUniquePerListener) {
  const std::string balancer = make_balancer().arn;
  const std::string group = make_group("g1");
  const std::string listener = make_listener(balancer, group);
  const auto made = elb_->create_rule(rule_input(listener, 10, group));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->arn, MatchesRegex("arn:aws:elasticloadbalancing:us-east-1:123456789012:"
                                      "listener-rule/app/web/[0-9a-f]+/[0-9a-f]+/[0-9a-f]+"));
  const auto refused = elb_->create_rule(rule_input(listener, 10, group));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "PriorityInUse");
  EXPECT_EQ(refused.error().message, "Priority '10' is currently in use");
  EXPECT_TRUE(elb_->create_rule(rule_input(make_listener(balancer, group, 81), 10, group)));
  ASSERT_TRUE(elb_->delete_rule(made->arn));
  EXPECT_EQ(code_of(elb_->delete_rule(made->arn)), "RuleNotFound");
  EXPECT_EQ(code_of(elb_->delete_rule(default_rule_arn(listener))), "OperationNotPermitted");
  EXPECT_EQ(code_of(elb_->delete_listener("arn:x")), "ListenerNotFound");
}

TEST_F(ElbTest, BadRules) {
  const std::string group = make_group("g1");
  const std::string listener = make_listener(make_balancer().arn, group);
  const auto code = [&](auto change) {
    CreateRuleInput input = rule_input(listener, 1, group);
    change(input);
    return code_of(elb_->create_rule(input));
  };
  EXPECT_EQ(code([](auto& i) { i.priority = 0; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.conditions = {}; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.conditions = {path("/ü")}; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.actions = {}; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.actions = {forward({{"arn:x", 1}})}; }), "TargetGroupNotFound");
  const auto transform = [&](std::string regex, std::string replace) {
    return code([&](auto& i) {
      i.priority = 2;
      i.transforms = {{model::TransformType::url_rewrite, std::move(regex), std::move(replace)}};
    });
  };
  EXPECT_EQ(transform("(", "/"), "ValidationError");
  EXPECT_EQ(transform("^/(a)$", "/$2"), "ValidationError");
  EXPECT_EQ(transform("^/(?=a)", "/"), "ValidationError");
  EXPECT_EQ(transform("^/(a)$", "/$1"), "ok") << "a rule with a transform";
  EXPECT_EQ(code([](auto& i) { i.listener_arn = "arn:x"; }), "ListenerNotFound");
  EXPECT_EQ(code([](auto& i) {
              i.conditions[0].values.clear();
              i.conditions[0].regex_values = {"(a"};
            }),
            "ValidationError");
  EXPECT_EQ(code([](auto& i) {
              i.conditions[0].values.clear();
              i.conditions[0].regex_values = {"^/api/(v1|v2)/.*$"};
            }),
            "ok");
}

}  // namespace
}  // namespace weir::control
