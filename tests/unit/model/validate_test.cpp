// Each refusal with its code and, where AWS's text is known, that text.
#include "model/validate.hpp"

#include <gtest/gtest.h>

#include "model/attributes.hpp"
#include "model/limits.hpp"

namespace weir::model {
namespace {

std::string text_of(const Status& status) {
  return status ? "ok" : status.error().code + ": " + status.error().message;
}

Condition path(std::vector<std::string> values) {
  Condition condition;
  condition.values = std::move(values);
  return condition;
}

Condition of(ConditionField field, std::vector<std::string> values) {
  Condition condition;
  condition.field = field;
  condition.values = std::move(values);
  return condition;
}

Condition header(std::string name, std::vector<std::string> values) {
  Condition condition = of(ConditionField::http_header, std::move(values));
  condition.http_header_name = std::move(name);
  return condition;
}

Condition query(std::vector<QueryStringPair> pairs) {
  Condition condition;
  condition.field = ConditionField::query_string;
  condition.query = std::move(pairs);
  return condition;
}

TEST(Names, OfLoadBalancersAndTargetGroups) {
  EXPECT_TRUE(validate_load_balancer_name("web-1"));
  EXPECT_TRUE(validate_load_balancer_name(std::string(32, 'a')));
  EXPECT_EQ(text_of(validate_load_balancer_name(std::string(33, 'a'))),
            "ValidationError: Load balancer name '" + std::string(33, 'a') +
                "' cannot be longer than '32' characters");
  EXPECT_EQ(text_of(validate_target_group_name("-web")),
            "ValidationError: Target group name '-web' cannot begin or end with '-'");
  for (const char* bad : {"", "web-", "we_b", "wéb", "internal-web", "a b"}) {
    EXPECT_FALSE(validate_load_balancer_name(bad)) << bad;
  }
  EXPECT_TRUE(validate_target_group_name("internal-web"));
  EXPECT_TRUE(validate_load_balancer_name("a--b"));
  EXPECT_FALSE(validate_target_group_name("a--b"));
}

TEST(Ids, HaveEightOrSeventeenDigits) {
  EXPECT_TRUE(is_ec2_id("i-0123456789abcdef0", "i-"));
  EXPECT_TRUE(is_ec2_id("i-01234567", "i-"));
  for (const char* bad : {"", "i-", "i-0123456", "i-0123456789ABCDEF0", "ami-01234567",
                          "i-0123456789abcdef01", "i-../../etc/pas"}) {
    EXPECT_FALSE(is_ec2_id(bad, "i-")) << bad;
  }
}

TEST(Utf8, RefusesOverlongFormsAndSurrogates) {
  EXPECT_TRUE(is_valid_utf8("aé€😀"));
  EXPECT_EQ(chars_of("aé€😀"), 4U);
  for (const char* bad : {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xE2\x82",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
}

TEST(Tags, KeepWithinTheirLimits) {
  EXPECT_TRUE(validate_tags({{"Name", "Täg 1_.:/=+-@"}, {"x", ""}}));
  EXPECT_FALSE(validate_tags({{"", "x"}}));
  EXPECT_FALSE(validate_tags({{"aws:x", "x"}}));
  EXPECT_FALSE(validate_tags({{"a", "<script>"}}));
  EXPECT_FALSE(validate_tags({{"a", "\xff"}}));
  EXPECT_FALSE(validate_tags({{std::string(129, 'a'), ""}}));
  EXPECT_FALSE(validate_tags({{"a", std::string(257, 'a')}}));
  Tags many;
  for (int i = 0; i < 51; ++i) many[std::to_string(i)] = "";
  EXPECT_EQ(validate_tags(many).error().code, "TooManyTags");
}

TEST(Conditions, Good) {
  EXPECT_TRUE(validate_conditions({path({"/cluster1", "/cluster1/*"})}));
  EXPECT_TRUE(validate_conditions({path({"/_-.$/~\"'@:+&?"})}));
  EXPECT_TRUE(validate_conditions({of(ConditionField::host_header, {"*.example.com"})}));
  EXPECT_TRUE(
      validate_conditions({of(ConditionField::http_request_method, {"GET", "MY-METHOD_X"})}));
  EXPECT_TRUE(validate_conditions({of(ConditionField::source_ip, {"10.0.0.0/8", "::1/128"})}));
  EXPECT_TRUE(validate_conditions({header("User-Agent", {"*Chrome*"}), header("X-A", {"1"})}));
  EXPECT_TRUE(validate_conditions({query({{"a", "1"}, {std::nullopt, "\\*lit\\*"}})}));
}

TEST(Conditions, EachFieldsCharacters) {
  const std::vector<Condition> bad = {
      path({"/a b"}),
      path({"/a?x=1"}),
      path({"/é"}),
      path({""}),
      path({std::string(129, 'a')}),
      of(ConditionField::host_header, {"localhost"}),
      of(ConditionField::host_header, {"a.b1"}),
      of(ConditionField::host_header, {"example.com:80"}),
      of(ConditionField::http_request_method, {"get"}),
      of(ConditionField::http_request_method, {"G*"}),
      of(ConditionField::http_request_method, {std::string(41, 'A')}),
      of(ConditionField::source_ip, {"10.0.0.1"}),
      of(ConditionField::source_ip, {"255.255.255.255/32"}),
      header("", {"x"}),
      header("Host", {"x"}),
      header("hOsT", {"x"}),
      header("a b", {"x"}),
      header("a*", {"x"}),
      header(std::string(41, 'a'), {"x"}),
      header("X-A", {"a\nb"}),
      query({{"a", ""}}),
      query({{std::string(129, 'a'), "x"}}),
      query({{"a", "x\x01"}}),
      of(ConditionField::query_string, {"a=b"}),
  };
  for (std::size_t i = 0; i < bad.size(); ++i) EXPECT_FALSE(validate_conditions({bad[i]})) << i;
}

TEST(Conditions, Texts) {
  EXPECT_EQ(text_of(validate_conditions({path({})})),
            "ValidationError: A condition value must be specified");
  EXPECT_EQ(
      text_of(validate_conditions({of(ConditionField::host_header, {std::string(129, 'a')})})),
      "ValidationError: The 'host-header' value is too long; the limit is '128'");
  EXPECT_EQ(text_of(validate_conditions({of(ConditionField::http_request_method, {"get"})})),
            "ValidationError: The 'http-request-method' value is invalid; the allowed characters "
            "are A-Z, hyphen and underscore");
}

TEST(Conditions, LimitsOfOneRule) {
  EXPECT_FALSE(validate_conditions({}));
  EXPECT_FALSE(validate_conditions({path({"/a"}), path({"/b"})}));
  EXPECT_FALSE(validate_conditions({path({"/a", "/b", "/c", "/d"})}));
  EXPECT_TRUE(
      validate_conditions({of(ConditionField::source_ip,
                              {"1.0.0.0/8", "2.0.0.0/8", "3.0.0.0/8", "4.0.0.0/8", "5.0.0.0/8"})}));
  EXPECT_EQ(
      validate_conditions({path({"/a", "/b", "/c"}), header("X", {"1", "2", "3"})}).error().message,
      "A rule can only have '5' condition values");
  EXPECT_TRUE(validate_conditions({path({"/******"})}));
  EXPECT_FALSE(validate_conditions({path({"/*******"})}));
  EXPECT_TRUE(validate_conditions({query({{"a", "\\*\\*\\*\\*\\*\\*\\*\\*"}})}));
}

TEST(Conditions, RegexAndValuesExcludeEachOther) {
  Condition both = path({"/a"});
  both.regex_values = {"^/a$"};
  EXPECT_FALSE(validate_conditions({both}));
  both.values.clear();
  EXPECT_TRUE(validate_conditions({both}));
  both.field = ConditionField::http_request_method;
  EXPECT_FALSE(validate_conditions({both}));
}

TEST(Priorities, AreOneToFiftyThousand) {
  EXPECT_TRUE(validate_priority(1));
  EXPECT_TRUE(validate_priority(50'000));
  EXPECT_FALSE(validate_priority(0));
  EXPECT_FALSE(validate_priority(50'001));
}

Status validate_one(decltype(Action::config) config, std::string_view protocol = "HTTP") {
  return validate_actions({Action{.order = 1, .config = std::move(config)}}, protocol);
}

TEST(Actions, Forward) {
  EXPECT_TRUE(validate_one(ForwardAction{{{"a", 0}, {"b", 999}}}));
  EXPECT_EQ(text_of(validate_one(ForwardAction{{{"a", 1000}}})),
            "ValidationError: The weight for each target group must be between 0 and 999, "
            "inclusive");
  EXPECT_FALSE(validate_one(ForwardAction{{{"a", -1}}}));
  EXPECT_FALSE(validate_one(ForwardAction{}));
  EXPECT_FALSE(validate_one(ForwardAction{{{"a", 1}, {"a", 2}}}));
  EXPECT_EQ(validate_one(ForwardAction{{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}, {"f"}}}).error().code,
            "TooManyTargetGroups");
  EXPECT_FALSE(validate_one(ForwardAction{{{"a"}}, true, 0}));
  EXPECT_TRUE(validate_one(ForwardAction{{{"a"}}, true, 604'800}));
}

TEST(Actions, ExactlyOne) {
  EXPECT_FALSE(validate_actions({}, "HTTP"));
  const Action fixed{.order = 1, .config = FixedResponseAction{}};
  EXPECT_EQ(validate_actions({fixed, fixed}, "HTTP").error().code, "TooManyActions");
}

TEST(Validate, TokensAreValidatedBeforeTheRoutingActionOfAnHttpsListener) {
  const Action fixed{2, FixedResponseAction{}};
  const JwtValidationAction good{"https://idp.example/keys", "https://idp.example", {}};
  EXPECT_TRUE(validate_actions({{1, good}, fixed}, "HTTPS"));
  EXPECT_TRUE(validate_actions({fixed, {1, good}}, "HTTPS"));
  const auto code = [&](const std::vector<Action>& actions, std::string_view protocol = "HTTPS") {
    const auto valid = validate_actions(actions, protocol);
    return valid ? std::string("ok") : valid.error().code;
  };
  EXPECT_EQ(code({{1, good}, fixed}, "HTTP"), "InvalidLoadBalancerAction");
  EXPECT_EQ(code({{1, good}}), "InvalidLoadBalancerAction");
  EXPECT_EQ(code({{3, good}, fixed}), "InvalidLoadBalancerAction");
  EXPECT_EQ(code({{2, good}, fixed}), "ValidationError");
  EXPECT_EQ(code({{1, good}, {3, good}, fixed}), "TooManyActions");
  const auto with = [&](auto change) {
    JwtValidationAction action = good;
    change(action);
    return code({{1, action}, fixed});
  };
  for (const char* url : {"http://idp.example/keys", "https://", "https:///keys", "idp.example",
                          "https://a b/", "https://user@idp.example/", "https://idp.example/#x"})
    EXPECT_EQ(with([&](auto& action) { action.jwks_endpoint = url; }), "ValidationError") << url;
  EXPECT_EQ(with([](auto& action) { action.issuer.clear(); }), "ValidationError");
  EXPECT_EQ(with([](auto& action) { action.issuer.assign(257, 'a'); }), "ValidationError");
  const JwtClaim claim{"scope", JwtClaim::Format::space_separated_values, {"read"}};
  EXPECT_EQ(with([&](auto& action) { action.additional_claims.assign(10, claim); }), "ok");
  EXPECT_EQ(with([&](auto& action) { action.additional_claims.assign(11, claim); }),
            "ValidationError");
  const auto with_claim = [&](JwtClaim changed) {
    return with([&](auto& action) { action.additional_claims = {changed}; });
  };
  EXPECT_EQ(with_claim({"exp", JwtClaim::Format::single_string, {"1"}}), "ValidationError");
  EXPECT_EQ(with_claim({"a", JwtClaim::Format::single_string, {}}), "ValidationError");
  EXPECT_EQ(with_claim({"a", claim.format, {"two words"}}), "ValidationError");
  EXPECT_EQ(with_claim({"a", JwtClaim::Format::string_array, {std::string(257, 'a')}}),
            "ValidationError");
}

TEST(Actions, FixedResponse) {
  EXPECT_TRUE(validate_one(FixedResponseAction{503, "application/json", "{}"}));
  EXPECT_TRUE(validate_one(FixedResponseAction{200, "", ""}));
  EXPECT_EQ(text_of(validate_one(FixedResponseAction{301, "", ""})),
            "ValidationError: 1 validation error detected: Value '301' at "
            "'actions.1.member.fixedResponseConfig.statusCode' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^(2|4|5)\\d\\d$");
  EXPECT_FALSE(validate_one(FixedResponseAction{600, "", ""}));
  EXPECT_FALSE(validate_one(FixedResponseAction{20, "", ""}));
  EXPECT_FALSE(validate_one(FixedResponseAction{-200, "", ""}));
  EXPECT_EQ(validate_one(FixedResponseAction{200, "image/png", ""}).error().code,
            "InvalidLoadBalancerAction");
  EXPECT_FALSE(validate_one(FixedResponseAction{200, "", std::string(1025, 'x')}));
  EXPECT_TRUE(validate_one(FixedResponseAction{200, "", std::string(1024, 'x')}));
}

RedirectAction redirect(std::string protocol, std::string host, std::string port, std::string path,
                        std::string query = "#{query}", int status = 301) {
  return {std::move(protocol), std::move(host),  std::move(port),
          std::move(path),     std::move(query), status};
}

TEST(Actions, Redirect) {
  EXPECT_TRUE(validate_one(redirect("HTTPS", "#{host}", "443", "/#{path}")));
  EXPECT_TRUE(validate_one(redirect("#{protocol}", "www.#{host}", "#{port}", "/#{host}/#{path}")));
  EXPECT_TRUE(validate_one(
      redirect("#{protocol}", "x.com", "#{port}", "/", "p=#{protocol}&h=#{host}&x=#{query}", 302)));
  const std::vector<RedirectAction> bad = {
      RedirectAction{},
      redirect("FTP", "#{host}", "#{port}", "/x"),
      redirect("HTTP", "#{host}", "0", "/x"),
      redirect("HTTP", "#{host}", "65536", "/x"),
      redirect("HTTP", "#{host}", "080", "/x"),
      redirect("HTTP", "", "80", "/x"),
      redirect("HTTP", "a%41", "80", "/x"),
      redirect("HTTP", "#{path}", "80", "/x"),
      redirect("HTTP", "x.com", "80", "x"),
      redirect("HTTP", "x.com", "80", "/#{query}"),
      redirect("HTTP", "x.com", "80", "/#{#{host}host}"),
      redirect("HTTP", "x.com", "80", "/\r\nSet-Cookie:"),
      redirect("HTTP", "x.com", "80", "/", "?a"),
      redirect("HTTP", "x.com", "80", "/", "a", 307),
      redirect("HTTP", std::string(129, 'a'), "80", "/"),
  };
  for (std::size_t i = 0; i < bad.size(); ++i) EXPECT_FALSE(validate_one(bad[i])) << i;
  EXPECT_FALSE(validate_one(redirect("HTTP", "x.com", "80", "/"), "HTTPS"));
}

TEST(HealthChecks, Ranges) {
  const HealthCheck good;
  EXPECT_TRUE(validate_health_check(good, "instance"));
  const auto with = [&](auto change) {
    HealthCheck check = good;
    change(check);
    return validate_health_check(check, "instance");
  };
  EXPECT_FALSE(with([](HealthCheck& c) { c.enabled = false; }));
  EXPECT_FALSE(with([](HealthCheck& c) { c.protocol = "TCP"; }));
  EXPECT_FALSE(with([](HealthCheck& c) { c.port = "0"; }));
  EXPECT_FALSE(with([](HealthCheck& c) { c.port = "80x"; }));
  EXPECT_TRUE(with([](HealthCheck& c) { c.port = "8080"; }));
  EXPECT_FALSE(with([](HealthCheck& c) { c.path = "health"; }));
  EXPECT_FALSE(with([](HealthCheck& c) { c.path = "/a b"; }));
  EXPECT_FALSE(with([](HealthCheck& c) { c.path = "/" + std::string(1024, 'a'); }));
  EXPECT_FALSE(with([](HealthCheck& c) { c.timeout_seconds = 1; }));
  EXPECT_FALSE(with([](HealthCheck& c) { c.interval_seconds = 301; }));
  EXPECT_FALSE(with([](HealthCheck& c) { c.healthy_threshold = 11; }));
  EXPECT_FALSE(with([](HealthCheck& c) { c.unhealthy_threshold = 1; }));
  EXPECT_EQ(text_of(with([](HealthCheck& c) { c.interval_seconds = 5; })),
            "ValidationError: Health check timeout '5' must be smaller than the interval '5'");
}

TEST(HealthChecks, Codes) {
  for (const char* good : {"200", "200,202", "200-299", "200-299,301,400-499"}) {
    EXPECT_TRUE(validate_http_codes(good)) << good;
  }
  for (const char* bad : {"", ",", "200,", ",200", "199", "500", "299-200", "200-", "-200", "2xx",
                          "200 ", "200-299-300", "0200"}) {
    EXPECT_FALSE(validate_http_codes(bad)) << bad;
  }
}

TEST(SecurityGroups, RulesBecomeCanonical) {
  const auto rule = canonical_rule({"TCP", 80, 80, "100.68.0.18/18", "", "", ""});
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(rule->protocol, "tcp");
  EXPECT_EQ(rule->cidr, "100.68.0.0/18");
  EXPECT_EQ(canonical_rule({"6", 1, 2, "0.0.0.0/0", "", "", ""})->protocol, "tcp");
  const auto all = canonical_rule({"-1", 80, 90, "0.0.0.0/0", "", "", ""});
  EXPECT_EQ(all->from_port, -1);
  EXPECT_EQ(all->to_port, -1);
  EXPECT_EQ(describe(*canonical_rule({"tcp", 80, 80, "0.0.0.0/0", "", "", ""})),
            "peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW");
}

TEST(SecurityGroups, BadRules) {
  const std::vector<SecurityGroupRule> bad = {
      {"sctp", 80, 80, "0.0.0.0/0", "", "", ""},
      {"tcp", -1, 80, "0.0.0.0/0", "", "", ""},
      {"tcp", 81, 80, "0.0.0.0/0", "", "", ""},
      {"tcp", 80, 65'536, "0.0.0.0/0", "", "", ""},
      {"icmp", 256, 0, "0.0.0.0/0", "", "", ""},
      {"tcp", 80, 80, "", "", "", ""},
      {"tcp", 80, 80, "0.0.0.0/0", "::/0", "", ""},
      {"tcp", 80, 80, "0.0.0.0", "", "", ""},
      {"tcp", 80, 80, "0.0.0.0/0; drop", "", "", ""},
      {"tcp", 80, 80, "0.0.0.0/0", "", "", "bad \" text"},
      {"tcp\n", 80, 80, "0.0.0.0/0", "", "", ""},
  };
  for (std::size_t i = 0; i < bad.size(); ++i) EXPECT_FALSE(canonical_rule(bad[i])) << i;
}

TEST(SecurityGroups, Names) {
  EXPECT_TRUE(validate_security_group_name("web servers (1)"));
  EXPECT_FALSE(validate_security_group_name("sg-web"));
  EXPECT_FALSE(validate_security_group_name(""));
  EXPECT_FALSE(validate_security_group_name("wéb"));
  EXPECT_FALSE(validate_security_group_name(std::string(256, 'a')));
  EXPECT_FALSE(validate_security_group_description(""));
}

TEST(Attributes, KnowTheirDefaultsAndRanges) {
  EXPECT_TRUE(validate_load_balancer_attributes({{"idle_timeout.timeout_seconds", "4000"}}));
  EXPECT_FALSE(validate_load_balancer_attributes({{"idle_timeout.timeout_seconds", "4001"}}));
  EXPECT_FALSE(validate_load_balancer_attributes({{"idle_timeout.timeout_seconds", "60s"}}));
  EXPECT_FALSE(validate_load_balancer_attributes({{"load_balancing.cross_zone.enabled", "false"}}));
  EXPECT_FALSE(validate_load_balancer_attributes({{"dns_record.client_routing_policy", "x"}}));
  EXPECT_TRUE(
      validate_load_balancer_attributes({{"routing.http.desync_mitigation_mode", "strictest"}}));
  EXPECT_EQ(
      text_of(validate_target_group_attributes({{"deregistration_delay.timeout_seconds", "3601"}})),
      "ValidationError: 'deregistration_delay.timeout_seconds' value '3601' must be between "
      "'0-3600' inclusive");
  EXPECT_EQ(text_of(validate_target_group_attributes({{"preserve_client_ip.enabled", "true"}})),
            "ValidationError: Target group attribute key 'preserve_client_ip.enabled' is not "
            "recognized");
  EXPECT_FALSE(
      validate_target_group_attributes({{"stickiness.app_cookie.cookie_name", "AWSALBAPP-0"}}));
}

TEST(Attributes, LogsNeedABucketAndTheirPathsLeadNowhereElse) {
  const auto with = [](const std::string& bucket, const std::string& prefix) {
    return text_of(validate_load_balancer_attributes({{"access_logs.s3.enabled", "true"},
                                                      {"access_logs.s3.bucket", bucket},
                                                      {"access_logs.s3.prefix", prefix}}));
  };
  EXPECT_EQ(with("my-logs.1", ""), "ok");
  EXPECT_EQ(with("my-logs", "a/b c/.d"), "ok");
  EXPECT_EQ(with("", "a"),
            "InvalidConfigurationRequest: The value of 'access_logs.s3.bucket' cannot be empty");
  for (const std::string bucket :
       {"ab", "..", "a/b", "../x", "a..b", "My-logs", "-logs", "logs.", "10.0.0.1", "a\nb"})
    EXPECT_NE(with(bucket, ""), "ok") << bucket;
  EXPECT_NE(with(std::string(64, 'a'), ""), "ok");
  for (const std::string prefix :
       {"/a", "a/", "a//b", "..", "a/../b", ".", "AWSLogs", "a/xAWSLogs", "a\nb", "a\\b"})
    EXPECT_NE(with("my-logs", prefix), "ok") << prefix;
  EXPECT_NE(with("my-logs", std::string(256, 'a')), "ok");
}

TEST(Attributes, EveryDefaultIsValid) {
  const auto all = [](std::span<const AttributeSpec> specs) {
    Attributes attributes;
    for (const AttributeSpec& spec : specs) {
      attributes[std::string(spec.key)] = spec.default_value;
    }
    return attributes;
  };
  EXPECT_EQ(text_of(validate_load_balancer_attributes(all(load_balancer_attributes()))), "ok");
  EXPECT_EQ(text_of(validate_listener_attributes(all(listener_attributes()))), "ok");
  Attributes group = all(target_group_attributes());
  group.erase("lambda.multi_value_headers.enabled");
  EXPECT_EQ(text_of(validate_target_group_attributes(group)), "ok");
}

TEST(Attributes, WhatIsNotInForceIsRefusedNotIgnored) {
  const std::string key = "target_group_health.dns_failover.minimum_healthy_targets.count";
  const auto other = validate_target_group_attributes({{key, "2"}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "InvalidConfigurationRequest");
  EXPECT_TRUE(validate_target_group_attributes({{key, "1"}}));
}

TEST(Attributes, ValuesInForce) {
  LoadBalancer load_balancer;
  EXPECT_FALSE(has_deletion_protection(load_balancer));
  load_balancer.attributes["deletion_protection.enabled"] = "true";
  EXPECT_TRUE(has_deletion_protection(load_balancer));
  TargetGroup group;
  EXPECT_EQ(deregistration_delay_seconds(group), 300);
  group.attributes["deregistration_delay.timeout_seconds"] = "0";
  EXPECT_EQ(deregistration_delay_seconds(group), 0);
}

}  // namespace
}  // namespace weir::model
