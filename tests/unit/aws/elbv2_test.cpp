// ELBv2's operations on load balancers, listeners and rules, called by their parameters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/arn.hpp"
#include "elbv2_fixture.hpp"

namespace weir::aws {
namespace {

using testing::HasSubstr;

TEST_F(Elbv2, EveryOperationHasAHandlerAndNoOther) {
  EXPECT_EQ(description_->operations.size(), 51U);
  for (const auto& [name, operation] : description_->operations) {
    EXPECT_TRUE(handlers_.contains(name)) << name;
  }
  EXPECT_EQ(handlers_.size(), description_->operations.size());
}

TEST_F(Elbv2, WhatIsChangedIsInForceWhenTheCallReturns) {
  ASSERT_TRUE(call("CreateRule", rule(1, "/a")));
  EXPECT_EQ(flushes_, 1);
  ASSERT_TRUE(call("DescribeRules", {{"ListenerArn", listener_}}));
  EXPECT_EQ(code("CreateRule", rule(1, "/a")), "PriorityInUse");
  EXPECT_EQ(flushes_, 1);
}

TEST_F(Elbv2, AnArnOfAnotherKindIsNone) {
  EXPECT_EQ(message("DescribeLoadBalancers", {{"LoadBalancerArns.member.1", "arn:x"}}),
            "'arn:x' is not a valid load balancer ARN");
  EXPECT_EQ(message("DeleteTargetGroup", {{"TargetGroupArn", no_balancer}}),
            std::string("'") + no_balancer + "' is not a valid target group ARN");
  EXPECT_EQ(message("DescribeTargetHealth", {{"TargetGroupArn", listener_}}),
            "'" + listener_ + "' is not a valid target group ARN");
  EXPECT_EQ(message("ModifyListener", {{"ListenerArn", group_}}),
            "'" + group_ + "' is not a valid listener ARN");
  EXPECT_EQ(message("DeleteRule", {{"RuleArn", listener_}}),
            "'" + listener_ + "' is not a valid listener rule ARN");
}

// ---------------------------------------------------------------- load balancers
const Parameters balancer_parameters{{"Name", "second"},
                                     {"Subnets.member.1", "subnet-a"},
                                     {"Subnets.member.2", "subnet-b"},
                                     {"Tags.member.1.Key", "k"},
                                     {"Tags.member.1.Value", "v"}};

TEST_F(Elbv2, ALoadBalancerIsShownAsItWasAskedFor) {
  const auto made = list("CreateLoadBalancer", balancer_parameters, "LoadBalancers");
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].text("LoadBalancerName"), "second");
  EXPECT_EQ(made[0].text("Type"), "application");
  EXPECT_EQ(made[0].find("State")->text("Code"), "provisioning");
  const auto& zones = made[0].list("AvailabilityZones");
  ASSERT_EQ(zones.size(), 2U);
  EXPECT_EQ(zones[0].text("SubnetId"), "subnet-a");
  EXPECT_EQ(made[0].texts("SecurityGroups"), std::vector<std::string>{"sg-d"});
  const std::string arn = made[0].text("LoadBalancerArn");
  EXPECT_EQ(list("DescribeLoadBalancers", {{"Names.member.1", "second"}}, "LoadBalancers")[0].text(
                "LoadBalancerArn"),
            arn);
  const auto tags = list("DescribeTags", {{"ResourceArns.member.1", arn}}, "TagDescriptions");
  EXPECT_EQ(tags[0].list("Tags")[0].text("Key"), "k");
  EXPECT_EQ(tags[0].list("Tags")[0].text("Value"), "v");
  const Parameters mappings{{"Name", "second"},
                            {"SubnetMappings.member.1.SubnetId", "subnet-a"},
                            {"SubnetMappings.member.2.SubnetId", "subnet-b"},
                            {"Tags.member.1.Key", "k"},
                            {"Tags.member.1.Value", "v"}};
  EXPECT_EQ(list("CreateLoadBalancer", mappings, "LoadBalancers")[0].text("LoadBalancerArn"), arn);
}

TEST_F(Elbv2, BadLoadBalancers) {
  const auto code_with = [&](const Parameters& more) {
    return code("CreateLoadBalancer", with(balancer_parameters, more));
  };
  EXPECT_EQ(code_with({{"Type", "network"}}), "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"Type", "gateway"}}), "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"Type", "classic"}}), "ValidationError");
  EXPECT_EQ(code_with({{"SubnetMappings.member.1.SubnetId", "subnet-a"}}), "ValidationError");
  EXPECT_EQ(code_with({{"CustomerOwnedIpv4Pool", "ipv4pool-coip-1"}}),
            "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"EnablePrefixForIpv6SourceNat", "on"}}), "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"IpAddressType", "dualstack"}}), "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"Tags.member.2.Key", "k"}}), "DuplicateTagKeys");
  EXPECT_EQ(code_with({{"Tags.member.2.Key", "aws:k"}}), "ValidationError");
  EXPECT_EQ(code_with({{"Subnets.member.2", "subnet-x"}}), "SubnetNotFound");
  EXPECT_EQ(code("CreateLoadBalancer", {{"Name", "x"}}), "ValidationError");
  EXPECT_EQ(code("CreateLoadBalancer", {{"Name", "x"},
                                        {"SubnetMappings.member.1.SubnetId", "subnet-a"},
                                        {"SubnetMappings.member.1.AllocationId", "eipalloc-1"}}),
            "InvalidConfigurationRequest");
}

TEST_F(Elbv2, LoadBalancersByPagesOrByName) {
  for (const char* name : {"b", "c", "d", "e"}) make_balancer(name);
  std::vector<std::string> names;
  Parameters page{{"PageSize", "2"}};
  for (int pages = 0; pages < 3; ++pages) {
    const auto out = call("DescribeLoadBalancers", page);
    ASSERT_TRUE(out);
    for (const Value& each : out->list("LoadBalancers")) {
      names.push_back(each.text("LoadBalancerName"));
    }
    EXPECT_EQ(out->has("NextMarker"), pages < 2);
    page = {{"PageSize", "2"}, {"Marker", out->text("NextMarker")}};
  }
  EXPECT_EQ(names, (std::vector<std::string>{"b", "c", "d", "e", "web"}));
  EXPECT_EQ(code("DescribeLoadBalancers", {{"Marker", "bm90IG91cnM="}}), "ValidationError");
  EXPECT_EQ(code("DescribeLoadBalancers", {{"PageSize", "0"}}), "ValidationError");
  EXPECT_EQ(code("DescribeLoadBalancers", {{"PageSize", "401"}}), "ValidationError");
  EXPECT_EQ(code("DescribeLoadBalancers", {{"PageSize", "1"}, {"Names.member.1", "b"}}),
            "ValidationError");
  EXPECT_EQ(code("DescribeLoadBalancers",
                 {{"LoadBalancerArns.member.1", balancer_}, {"Names.member.1", "b"}}),
            "ValidationError");
  EXPECT_EQ(message("DescribeLoadBalancers", {{"Names.member.1", "none"}}),
            "Load balancers '[none]' not found");
  Parameters many;
  for (int i = 1; i <= 21; ++i) {
    many.emplace_back("LoadBalancerArns.member." + std::to_string(i), balancer_);
  }
  EXPECT_EQ(code("DescribeLoadBalancers", many), "ValidationError");
}

TEST_F(Elbv2, AttributesAreAllShown) {
  const auto attribute = [](const Value::List& all, const std::string& key) {
    for (const Value& each : all) {
      if (each.text("Key") == key) return each.text("Value");
    }
    return std::string("none");
  };
  const auto before =
      list("DescribeLoadBalancerAttributes", {{"LoadBalancerArn", balancer_}}, "Attributes");
  EXPECT_EQ(attribute(before, "idle_timeout.timeout_seconds"), "60");
  EXPECT_EQ(attribute(before, "ipv6.deny_all_igw_traffic"), "none");
  const auto after = list("ModifyLoadBalancerAttributes",
                          {{"LoadBalancerArn", balancer_},
                           {"Attributes.member.1.Key", "idle_timeout.timeout_seconds"},
                           {"Attributes.member.1.Value", "30"}},
                          "Attributes");
  EXPECT_EQ(attribute(after, "idle_timeout.timeout_seconds"), "30");
  EXPECT_EQ(after.size(), before.size());
  EXPECT_EQ(code("ModifyLoadBalancerAttributes",
                 {{"LoadBalancerArn", balancer_},
                  {"Attributes.member.1.Key", "dns_record.client_routing_policy"},
                  {"Attributes.member.1.Value", "any_availability_zone"}}),
            "ValidationError");
  EXPECT_EQ(code("ModifyLoadBalancerAttributes",
                 {{"LoadBalancerArn", balancer_},
                  {"Attributes.member.1.Key", "idle_timeout.timeout_seconds"},
                  {"Attributes.member.1.Value", "30"},
                  {"Attributes.member.2.Key", "idle_timeout.timeout_seconds"},
                  {"Attributes.member.2.Value", "31"}}),
            "ValidationError");
  EXPECT_EQ(
      attribute(list("DescribeTargetGroupAttributes", {{"TargetGroupArn", group_}}, "Attributes"),
                "stickiness.lb_cookie.duration_seconds"),
      "86400");
  EXPECT_EQ(attribute(list("ModifyTargetGroupAttributes",
                           {{"TargetGroupArn", group_},
                            {"Attributes.member.1.Key", "slow_start.duration_seconds"},
                            {"Attributes.member.1.Value", "30"}},
                           "Attributes"),
                      "slow_start.duration_seconds"),
            "30");
  EXPECT_EQ(attribute(list("ModifyListenerAttributes",
                           {{"ListenerArn", listener_},
                            {"Attributes.member.1.Key", "routing.http.response.server.enabled"},
                            {"Attributes.member.1.Value", "false"}},
                           "Attributes"),
                      "routing.http.response.server.enabled"),
            "false");
  EXPECT_EQ(list("DescribeListenerAttributes", {{"ListenerArn", listener_}}, "Attributes").size(),
            19U);
}

TEST_F(Elbv2, ChangesOfALoadBalancer) {
  EXPECT_EQ(call("SetSecurityGroups",
                 {{"LoadBalancerArn", balancer_}, {"SecurityGroups.member.1", "sg-d"}})
                ->texts("SecurityGroupIds"),
            std::vector<std::string>{"sg-d"});
  EXPECT_EQ(call("SetIpAddressType", {{"LoadBalancerArn", balancer_}, {"IpAddressType", "ipv4"}})
                ->text("IpAddressType"),
            "ipv4");
  const auto zones = call("SetSubnets", {{"LoadBalancerArn", balancer_},
                                         {"Subnets.member.1", "subnet-a2"},
                                         {"Subnets.member.2", "subnet-b"}});
  ASSERT_TRUE(zones);
  EXPECT_EQ(zones->list("AvailabilityZones")[0].text("SubnetId"), "subnet-a2");
  const auto pools = call("ModifyIpPools", {{"LoadBalancerArn", balancer_},
                                            {"IpamPools.Ipv4IpamPoolId", "ipam-pool-1"}});
  EXPECT_EQ(pools->find("IpamPools")->text("Ipv4IpamPoolId"), "ipam-pool-1");
  EXPECT_EQ(list("DescribeLoadBalancers", {}, "LoadBalancers")[0]
                .find("IpamPools")
                ->text("Ipv4IpamPoolId"),
            "ipam-pool-1");
  EXPECT_EQ(code("ModifyIpPools", {{"LoadBalancerArn", balancer_}}), "ValidationError");
  EXPECT_TRUE(call("ModifyIpPools",
                   {{"LoadBalancerArn", balancer_}, {"RemoveIpamPools.member.1", "ipv4"}}));
  const auto capacity =
      call("ModifyCapacityReservation",
           {{"LoadBalancerArn", balancer_}, {"MinimumLoadBalancerCapacity.CapacityUnits", "100"}});
  ASSERT_TRUE(capacity);
  EXPECT_EQ(capacity->list("CapacityReservationState")[0].number("EffectiveCapacityUnits"), 50.0);
  EXPECT_EQ(call("DescribeCapacityReservation", {{"LoadBalancerArn", balancer_}})
                ->find("MinimumLoadBalancerCapacity")
                ->integer("CapacityUnits"),
            100);
  ASSERT_TRUE(call("ModifyCapacityReservation",
                   {{"LoadBalancerArn", balancer_}, {"ResetCapacityReservation", "true"}}));
  EXPECT_FALSE(call("DescribeCapacityReservation", {{"LoadBalancerArn", balancer_}})
                   ->has("MinimumLoadBalancerCapacity"));
}

// ---------------------------------------------------------------- listeners
TEST_F(Elbv2, Listeners) {
  const auto listeners = list("DescribeListeners", {{"LoadBalancerArn", balancer_}}, "Listeners");
  ASSERT_EQ(listeners.size(), 1U);
  EXPECT_EQ(listeners[0].integer("Port"), 80);
  EXPECT_EQ(listeners[0].list("DefaultActions")[0].text("TargetGroupArn"), group_);
  const Parameters second{{"LoadBalancerArn", balancer_},
                          {"Protocol", "HTTP"},
                          {"Port", "81"},
                          {"DefaultActions.member.1.Type", "fixed-response"},
                          {"DefaultActions.member.1.FixedResponseConfig.StatusCode", "404"}};
  ASSERT_TRUE(call("CreateListener", second));
  const auto code_with = [&](const Parameters& more) {
    return code("CreateListener", with(second, more));
  };
  EXPECT_EQ(code_with({}), "ok");  // the same again
  EXPECT_EQ(code_with({{"DefaultActions.member.1.FixedResponseConfig.StatusCode", "405"}}),
            "DuplicateListener");
  EXPECT_EQ(code_with({{"DefaultActions.member.1.FixedResponseConfig.StatusCode", "304"}}),
            "ValidationError");
  EXPECT_EQ(code_with({{"Port", "0"}}), "ValidationError");
  EXPECT_EQ(code_with({{"Protocol", "TCP"}}), "UnsupportedProtocol");
  EXPECT_EQ(code_with({{"Port", "443"}, {"Protocol", "HTTPS"}}), "ValidationError");
  EXPECT_EQ(code_with({{"SslPolicy", "ELBSecurityPolicy-None"}}), "SSLPolicyNotFound");
  EXPECT_EQ(code_with({{"SslPolicy", "ELBSecurityPolicy-2016-08"}}), "ValidationError");
  EXPECT_EQ(code_with({{"Certificates.member.1.CertificateArn", "arn:x"}}), "ValidationError");
  EXPECT_EQ(code_with({{"AlpnPolicy.member.1", "HTTP2Only"}}), "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"DefaultActions.member.1.Type", "authenticate-oidc"}}), "ValidationError");
  EXPECT_EQ(code_with({{"LoadBalancerArn", no_balancer}}), "LoadBalancerNotFound");
  EXPECT_EQ(code("CreateListener", {{"LoadBalancerArn", balancer_}, {"Protocol", "HTTP"}}),
            "ValidationError");

  EXPECT_EQ(
      list("ModifyListener", {{"ListenerArn", listener_}, {"Port", "82"}}, "Listeners")[0].integer(
          "Port"),
      82);
  EXPECT_EQ(message("ModifyListener", {{"ListenerArn", listener_}, {"Port", "81"}}),
            "Listener port '81' is already in use");
  const auto page = call("DescribeListeners", {{"LoadBalancerArn", balancer_}, {"PageSize", "1"}});
  EXPECT_EQ(page->list("Listeners")[0].integer("Port"), 81);
  const auto next = call(
      "DescribeListeners",
      {{"LoadBalancerArn", balancer_}, {"PageSize", "1"}, {"Marker", page->text("NextMarker")}});
  EXPECT_EQ(next->list("Listeners")[0].integer("Port"), 82);
  EXPECT_FALSE(next->has("NextMarker"));
  EXPECT_EQ(message("DescribeListeners", {}),
            "You must specify either listener ARNs or a load balancer ARN");
  EXPECT_EQ(message("DescribeListeners", {{"ListenerArns.member.1", no_listener}}),
            "One or more listeners not found");
  EXPECT_EQ(message("DescribeListeners", {{"LoadBalancerArn", no_balancer}}),
            std::string("Load balancer '") + no_balancer + "' not found");
  EXPECT_TRUE(call("DeleteListener", {{"ListenerArn", listener_}}));
  EXPECT_EQ(code("DeleteListener", {{"ListenerArn", listener_}}), "ListenerNotFound");
}

TEST_F(Elbv2, CertificatesAreForListenersWithTls) {
  EXPECT_TRUE(
      list("DescribeListenerCertificates", {{"ListenerArn", listener_}}, "Certificates").empty());
  const Parameters certificate{{"ListenerArn", listener_},
                               {"Certificates.member.1.CertificateArn", "arn:x"}};
  EXPECT_EQ(code("AddListenerCertificates", certificate), "OperationNotPermitted");
  EXPECT_EQ(code("RemoveListenerCertificates", certificate), "OperationNotPermitted");
  EXPECT_EQ(code("AddListenerCertificates",
                 with(certificate, {{"Certificates.member.2.CertificateArn", "arn:y"}})),
            "TooManyCertificates");
}

// ---------------------------------------------------------------- rules
TEST_F(Elbv2, RulesInOrderWithTheDefaultOneLast) {
  for (const int priority : {30, 10, 20}) ASSERT_TRUE(call("CreateRule", rule(priority, "/a")));
  const auto priorities = [&](const Parameters& parameters) {
    std::string out;
    for (const Value& each : list("DescribeRules", parameters, "Rules")) {
      out += each.text("Priority") + " ";
    }
    return out;
  };
  EXPECT_EQ(priorities({{"ListenerArn", listener_}}), "10 20 30 default ");
  std::string all;
  std::string marker;
  int pages = 0;
  do {
    Parameters page{{"ListenerArn", listener_}, {"PageSize", "3"}};
    if (!marker.empty()) page.emplace_back("Marker", marker);
    const auto out = call("DescribeRules", page);
    ASSERT_TRUE(out);
    for (const Value& each : out->list("Rules")) all += each.text("Priority") + " ";
    marker = out->text("NextMarker");
    ++pages;
  } while (!marker.empty());
  EXPECT_EQ(all, "10 20 30 default ");
  EXPECT_EQ(pages, 2);
  EXPECT_EQ(priorities({{"RuleArns.member.1", control::default_rule_arn(listener_)}}), "default ");
  EXPECT_EQ(code("DescribeRules", {}), "ValidationError");
  EXPECT_EQ(message("DescribeRules", {{"RuleArns.member.1", no_rule}}),
            "One or more rules not found");
  EXPECT_EQ(message("DescribeRules", {{"ListenerArn", no_listener}}),
            "One or more listeners not found");
}

TEST_F(Elbv2, RulesKeepWhatWasAskedFor) {
  const auto made = list("CreateRule", rule(1, "/img/*"), "Rules");
  ASSERT_EQ(made.size(), 1U);
  const Value& condition = made[0].list("Conditions")[0];
  EXPECT_EQ(condition.texts("Values"), std::vector<std::string>{"/img/*"});
  EXPECT_EQ(condition.find("PathPatternConfig")->texts("Values"),
            std::vector<std::string>{"/img/*"});
  const Value& action = made[0].list("Actions")[0];
  EXPECT_EQ(action.text("TargetGroupArn"), group_);
  EXPECT_EQ(action.find("ForwardConfig")->list("TargetGroups")[0].integer("Weight"), 1);
  EXPECT_EQ(made[0].flag("IsDefault"), false);
}

TEST_F(Elbv2, BadRules) {
  const auto result = [&](const Parameters& more) {
    return message("CreateRule", with(rule(1, "/a"), more));
  };
  EXPECT_EQ(result({{"Conditions.member.1.Field", "port"}}),
            "Condition field 'port' must be one of '[path-pattern,host-header,http-header,"
            "http-request-method,query-string,source-ip]'");
  EXPECT_EQ(result({{"Conditions.member.1.Field", "source-ip"}}),
            "The 'Values' field is not compatible with 'source-ip'");
  EXPECT_EQ(result({{"Conditions.member.2.Field", "source-ip"}}),
            "A 'SourceIpConfig' must be specified with 'source-ip'");
  EXPECT_THAT(result({{"Conditions.member.1.PathPatternConfig.Values.member.1", "/b"}}),
              HasSubstr("You cannot provide both Values and 'PathPatternConfig'"));
  EXPECT_THAT(result({{"Conditions.member.1.HostHeaderConfig.Values.member.1", "a.b"}}),
              HasSubstr("not compatible"));
  EXPECT_THAT(result({{"Actions.member.1.RedirectConfig.StatusCode", "HTTP_301"}}),
              HasSubstr("not compatible"));
  EXPECT_THAT(result({{"Actions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn",
                       "arn:other"}}),
              HasSubstr("only if"));
  EXPECT_EQ(result({{"Actions.member.1.TargetGroupArn", "arn:x"}}),
            "Target groups 'arn:x' not found");
  const Parameters jwt{{"ListenerArn", listener_},
                       {"Priority", "1"},
                       {"Conditions.member.1.Field", "path-pattern"},
                       {"Conditions.member.1.Values.member.1", "/a"},
                       {"Actions.member.1.Type", "jwt-validation"},
                       {"Actions.member.1.JwtValidationConfig.JwksEndpoint", "https://a"},
                       {"Actions.member.1.JwtValidationConfig.Issuer", "b"}};
  EXPECT_EQ(code("CreateRule", jwt), "InvalidLoadBalancerAction");
  EXPECT_EQ(
      code("CreateRule", with(jwt, {{"Actions.member.1.Order", "1"},
                                    {"Actions.member.2.Order", "2"},
                                    {"Actions.member.2.Type", "fixed-response"},
                                    {"Actions.member.2.FixedResponseConfig.StatusCode", "200"}})),
      "InvalidLoadBalancerAction");  // the listener is not HTTPS
  EXPECT_EQ(code("CreateRule", with(rule(1, "/a"), {{"Priority", "50001"}})), "ValidationError");
  EXPECT_EQ(code("CreateRule", with(rule(1, "/a"), {{"ListenerArn", no_listener}})),
            "ListenerNotFound");
}

TEST_F(Elbv2, ActionsThatValidateTokensAreShownAsTheyWereGiven) {
  ASSERT_TRUE(registry_->update([&](control::Draft& draft) -> Status {
    model::Listener https = draft.state().listeners.at(listener_);
    https.protocol = "HTTPS";
    draft.put(https);
    return {};
  }));
  const std::string claim = "Actions.member.1.JwtValidationConfig.AdditionalClaims.member.1.";
  const auto rules = list("CreateRule",
                          {{"ListenerArn", listener_},
                           {"Priority", "1"},
                           {"Conditions.member.1.Field", "path-pattern"},
                           {"Conditions.member.1.Values.member.1", "/a"},
                           {"Actions.member.1.Type", "jwt-validation"},
                           {"Actions.member.1.Order", "1"},
                           {"Actions.member.1.JwtValidationConfig.JwksEndpoint", "https://a/keys"},
                           {"Actions.member.1.JwtValidationConfig.Issuer", "b"},
                           {claim + "Name", "groups"},
                           {claim + "Format", "string-array"},
                           {claim + "Values.member.1", "x"},
                           {claim + "Values.member.2", "y"},
                           {"Actions.member.2.Type", "fixed-response"},
                           {"Actions.member.2.Order", "2"},
                           {"Actions.member.2.FixedResponseConfig.StatusCode", "200"}},
                          "Rules");
  ASSERT_EQ(rules.size(), 1U);
  const auto& actions = rules[0].list("Actions");
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(actions[0].text("Type"), "jwt-validation");
  const Value& config = *actions[0].find("JwtValidationConfig");
  EXPECT_EQ(config.text("JwksEndpoint"), "https://a/keys");
  EXPECT_EQ(config.text("Issuer"), "b");
  const Value& shown = config.list("AdditionalClaims").at(0);
  EXPECT_EQ(shown.text("Name"), "groups");
  EXPECT_EQ(shown.text("Format"), "string-array");
  EXPECT_EQ(shown.texts("Values"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(actions[1].text("Type"), "fixed-response");
}

TEST_F(Elbv2, RulesChange) {
  const std::string first = list("CreateRule", rule(1, "/a"), "Rules")[0].text("RuleArn");
  const std::string second = list("CreateRule", rule(2, "/b"), "Rules")[0].text("RuleArn");
  const auto swapped = list("SetRulePriorities",
                            {{"RulePriorities.member.1.RuleArn", first},
                             {"RulePriorities.member.1.Priority", "2"},
                             {"RulePriorities.member.2.RuleArn", second},
                             {"RulePriorities.member.2.Priority", "1"}},
                            "Rules");
  EXPECT_EQ(swapped[0].text("Priority"), "2");
  EXPECT_EQ(code("SetRulePriorities", {{"RulePriorities.member.1.RuleArn", first}}),
            "ValidationError");
  const auto rewritten =
      list("ModifyRule",
           {{"RuleArn", first},
            {"Transforms.member.1.Type", "url-rewrite"},
            {"Transforms.member.1.UrlRewriteConfig.Rewrites.member.1.Regex", "^/a"},
            {"Transforms.member.1.UrlRewriteConfig.Rewrites.member.1.Replace", "/b"}},
           "Rules");
  EXPECT_EQ(rewritten[0].list("Transforms")[0].text("Type"), "url-rewrite");
  EXPECT_EQ(rewritten[0].list("Conditions")[0].texts("Values"), std::vector<std::string>{"/a"});
  const auto reset = list("ModifyRule", {{"RuleArn", first}, {"ResetTransforms", "true"}}, "Rules");
  EXPECT_FALSE(reset[0].has("Transforms"));
  EXPECT_EQ(code("ModifyRule", {{"RuleArn", control::default_rule_arn(listener_)}}),
            "OperationNotPermitted");
  EXPECT_TRUE(call("DeleteRule", {{"RuleArn", first}}));
  EXPECT_EQ(code("DeleteRule", {{"RuleArn", first}}), "RuleNotFound");
}

}  // namespace
}  // namespace weir::aws
