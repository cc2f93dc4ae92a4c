#include <gtest/gtest.h>

#include <algorithm>

#include "requests.hpp"
#include "routing/rule_list.hpp"
#include "routing/snapshot.hpp"
#include "world.hpp"

namespace weir::routing {
namespace {

using test::World;

const TargetGroup& group(const Snapshot& snapshot, std::string_view arn) {
  return *std::ranges::find(snapshot.target_groups, arn, &TargetGroup::arn);
}

const Action& choose(const Snapshot& snapshot, std::string path, std::string host = "x") {
  test::Request request;
  request.path = std::move(path);
  const http::RequestHead head = request.head();
  return snapshot.find_listener(8080, host)->choose({head, "192.0.2.1"}).action;
}

std::string group_of(const Snapshot& snapshot, const Action& action) {
  const auto& forward = std::get<Forward>(action);
  return snapshot.target_groups[forward.groups.at(0).target_group].arn;
}

TEST(Compile, RulesByPriorityThenTheDefault) {
  const auto snapshot = World().compiled();
  EXPECT_EQ(snapshot->revision, 7U);
  ASSERT_EQ(snapshot->listeners.size(), 1U);
  EXPECT_EQ(snapshot->listeners[0].rules->rules().at(0)->arn, "r1");
  EXPECT_EQ(group_of(*snapshot, choose(*snapshot, "/cluster1")), "g1");
  EXPECT_EQ(group_of(*snapshot, choose(*snapshot, "/cluster2")), "g2");
  const auto& both = std::get<Forward>(choose(*snapshot, "/"));
  EXPECT_EQ(both.groups.size(), 2U);
  EXPECT_EQ(both.weight_sum, 2U);
  for (const TargetGroup& each : snapshot->target_groups) {
    EXPECT_TRUE(each.in_use);
    EXPECT_EQ(each.check_source, "172.31.0.5");
    EXPECT_EQ(&snapshot->target_groups[each.index], &each);
  }
}

TEST(Compile, FixedResponseAndRedirectAndNoAction) {
  World world;
  model::Action fixed, redirect;
  fixed.config = model::FixedResponseAction{404, "text/html", "gone"};
  redirect.config = model::RedirectAction{};
  world.add_rule("r3", "l", 30, test::path({"/fixed"}), fixed);
  world.add_rule("r4", "l", 40, test::path({"/redirect"}), redirect);
  world.add_rule("r5", "l", 50, test::path({"/none"}), {});
  world.rules["r5"].actions.clear();
  const auto snapshot = world.compiled();
  EXPECT_EQ(std::get<model::FixedResponseAction>(choose(*snapshot, "/fixed")).message_body, "gone");
  EXPECT_EQ(std::get<model::RedirectAction>(choose(*snapshot, "/redirect")).status_code, 301);
  EXPECT_EQ(std::get<Forward>(choose(*snapshot, "/none")).weight_sum, 0U);
}

TEST(Compile, ReferencesToNothingAreLeftOut) {
  World world;
  world.add_listener("lost", "no-such-lb", 81, 8081, World::forward({{"g1", 1}}));
  world.add_rule("lost", "no-such-listener", 1, test::path({"/"}), World::forward({{"g1", 1}}));
  world.add_rule("r3", "l", 30, test::path({"/x"}),
                 World::forward({{"no-such-group", 1}, {"g2", 3}}));
  const auto snapshot = world.compiled();
  EXPECT_EQ(snapshot->listeners.size(), 1U);
  EXPECT_EQ(snapshot->find_listener(8081, "x"), nullptr);
  EXPECT_EQ(group_of(*snapshot, choose(*snapshot, "/x")), "g2");
}

TEST(Compile, LoadBalancerAttributes) {
  World world;
  auto snapshot = world.compiled();
  EXPECT_EQ(snapshot->load_balancers[0].idle_timeout_ms, 60'000);
  EXPECT_EQ(snapshot->load_balancers[0].client_keep_alive_ms, 3'600'000);
  EXPECT_EQ(snapshot->load_balancers[0].desync_mode, LoadBalancer::DesyncMode::defensive);
  world.load_balancers["lb"].attributes = {
      {"idle_timeout.timeout_seconds", "4000"},
      {"client_keep_alive.seconds", "60"},
      {"routing.http.preserve_host_header.enabled", "true"},
      {"routing.http.drop_invalid_header_fields.enabled", "true"},
      {"routing.http.xff_client_port.enabled", "true"},
      {"routing.http.xff_header_processing.mode", "remove"},
      {"routing.http.desync_mitigation_mode", "strictest"},
  };
  snapshot = world.compiled();
  const LoadBalancer& changed = snapshot->load_balancers[0];
  EXPECT_EQ(changed.idle_timeout_ms, 4'000'000);
  EXPECT_EQ(changed.client_keep_alive_ms, 60'000);
  EXPECT_TRUE(changed.preserve_host_header);
  EXPECT_TRUE(changed.drop_invalid_header_fields);
  EXPECT_TRUE(changed.xff_client_port);
  EXPECT_EQ(changed.xff_mode, LoadBalancer::XffMode::remove);
  EXPECT_EQ(changed.desync_mode, LoadBalancer::DesyncMode::strictest);
}

TEST(Compile, PortsAreSharedByHostName) {
  World world;
  world.add_load_balancer("older", "Older-2.us-east-1.elb.localhost", 500);
  world.add_listener("o", "older", 80, 8080, World::forward({{"g2", 1}}));
  world.add_listener("unbound", "older", 81, 0, World::forward({{"g2", 1}}));
  const auto snapshot = world.compiled();
  const auto found = [&](std::string_view host) {
    return snapshot->find_listener(8080, host)->arn;
  };
  EXPECT_EQ(found("lb-1.us-east-1.elb.localhost"), "l");
  EXPECT_EQ(found("LB-1.US-east-1.elb.localhost:8080"), "l");
  EXPECT_EQ(found("older-2.us-east-1.elb.localhost"), "o");
  EXPECT_EQ(found("elsewhere"), "o");
  EXPECT_EQ(found(""), "o");
  EXPECT_EQ(snapshot->find_listener(80, "lb-1.us-east-1.elb.localhost"), nullptr);
  EXPECT_EQ(snapshot->ports.size(), 1U);
}

TEST(Compile, InstanceTargets) {
  World world;
  auto snapshot = world.compiled();
  const Target& running = group(*snapshot, "g1").targets.at(0);
  EXPECT_EQ(running.address, "172.31.0.10");
  EXPECT_EQ(running.zone, "us-east-1a");
  EXPECT_TRUE(running.in_vpc);
  EXPECT_TRUE(running.usable);
  const std::pair<model::InstanceState, std::string_view> states[] = {
      {model::InstanceState::pending, "Target is in an invalid state"},
      {model::InstanceState::stopping, "Target is in an invalid state"},
      {model::InstanceState::stopped, "Target is in the stopped state"},
      {model::InstanceState::terminated, "Target is in the terminated state"},
  };
  for (const auto& [state, description] : states) {
    world.instances["i-1"].state = state;
    snapshot = world.compiled();
    const Target& target = group(*snapshot, "g1").targets.at(0);
    EXPECT_FALSE(target.usable);
    EXPECT_EQ(target.unused_reason, "Target.InvalidState");
    EXPECT_EQ(target.unused_description, description);
  }
  world.instances.erase("i-1");
  snapshot = world.compiled();
  EXPECT_EQ(group(*snapshot, "g1").targets.at(0).unused_description,
            "Target is in the terminated state");
}

TEST(Compile, UnusedTargets) {
  World world;
  world.load_balancers["lb"].nodes.pop_back();
  world.add_group("idle");
  world.add_target("idle", "i-1", 80);
  const auto snapshot = world.compiled();
  EXPECT_EQ(group(*snapshot, "g2").targets.at(0).unused_description,
            "Target is in an Availability Zone that is not enabled for the load balancer");
  EXPECT_FALSE(group(*snapshot, "idle").in_use);
  EXPECT_EQ(group(*snapshot, "idle").check_source, "");
  EXPECT_FALSE(group(*snapshot, "idle").targets.at(0).usable);
  EXPECT_EQ(group(*snapshot, "idle").targets.at(0).unused_description,
            "Target group is not configured to receive traffic from the load balancer");
}

TEST(Compile, AddressTargets) {
  World world;
  world.target_groups["g1"].target_type = "ip";
  world.targets.clear();
  world.add_target("g1", "172.31.0.99", 80);
  world.add_target("g1", "10.0.0.9", 80);
  world.add_target("g1", "172.31.16.5", 80);
  world.targets[{"g1", "10.0.0.9", 80}].zone = "all";
  const auto snapshot = world.compiled();
  const auto& targets = group(*snapshot, "g1").targets;
  ASSERT_EQ(targets.size(), 3U);
  EXPECT_EQ(targets[0].address, "10.0.0.9");
  EXPECT_FALSE(targets[0].in_vpc);
  EXPECT_TRUE(targets[0].usable);
  EXPECT_EQ(targets[1].id, "172.31.0.99");
  EXPECT_TRUE(targets[1].in_vpc);
  EXPECT_TRUE(targets[1].usable);
  EXPECT_EQ(targets[2].unused_reason, "Target.IpUnusable");
}

TEST(Compile, HealthIsCarriedOverWhileATargetStaysInUse) {
  World world;
  const auto first = world.compiled();
  group(*first, "g1").targets[0].health->state = HealthState::healthy;
  world.add_target("g1", "i-0", 80);  // another, sorted before it
  world.add_target("g1", "i-1", 81);
  const auto second = world.compiled(first.get());
  const auto& targets = group(*second, "g1").targets;
  ASSERT_EQ(targets.size(), 3U);
  EXPECT_EQ(targets[1].health, group(*first, "g1").targets[0].health);
  EXPECT_EQ(group(*second, "g1").health_epoch, group(*first, "g1").health_epoch);
  EXPECT_EQ(targets[2].health->state, HealthState::initial);
  EXPECT_NE(targets[2].health, targets[1].health);
}

TEST(Compile, ATargetThatComesBackIntoUseStartsAnew) {
  World world;
  const auto running = world.compiled();
  world.instances["i-1"].state = model::InstanceState::stopped;
  const auto stopped = world.compiled(running.get());
  EXPECT_EQ(group(*stopped, "g1").targets[0].health, group(*running, "g1").targets[0].health);
  world.instances["i-1"].state = model::InstanceState::running;
  const auto again = world.compiled(stopped.get());
  EXPECT_NE(group(*again, "g1").targets[0].health, group(*running, "g1").targets[0].health);

  world.targets[{"g1", "i-1", 80}].draining_until_ms = 1;
  const auto draining = world.compiled(again.get());
  EXPECT_TRUE(group(*draining, "g1").targets[0].draining);
  EXPECT_EQ(group(*draining, "g1").targets[0].health, group(*again, "g1").targets[0].health);
  world.targets[{"g1", "i-1", 80}].draining_until_ms = 0;
  const auto registered = world.compiled(draining.get());
  EXPECT_NE(group(*registered, "g1").targets[0].health, group(*again, "g1").targets[0].health);
}

TEST(Compile, AMatcherGoesOnWhileNoConditionChanges) {
  World world;
  const auto first = world.compiled();
  world.add_target("g1", "i-2", 81);
  world.rules["r1"].actions = world.rules["r2"].actions;
  const auto second = world.compiled(first.get());
  EXPECT_EQ(second->listeners[0].rules->filed_before(), 2U);
  EXPECT_EQ(group_of(*second, choose(*second, "/cluster1")), "g2");
  world.rules["r1"].conditions = {test::path({"/other"})};
  const auto third = world.compiled(second.get());
  EXPECT_EQ(third->listeners[0].rules->filed_before(), 1U);
  EXPECT_EQ(group_of(*third, choose(*third, "/other")), "g2");
  world.rules["r1"].priority = 30;
  const auto fourth = world.compiled(third.get());
  EXPECT_EQ(group_of(*fourth, choose(*fourth, "/other")), "g2");
}

}  // namespace
}  // namespace weir::routing
