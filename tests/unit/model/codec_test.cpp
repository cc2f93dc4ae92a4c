// What is encoded and decoded again is the same; what cannot be read names the field.
#include "model/codec.hpp"

#include <gtest/gtest.h>

#include "model/resources.hpp"

namespace weir::model {
namespace {

Instance full_instance() {
  Instance v;
  v.id = "i-0123456789abcdef0";
  v.reservation_id = "r-0123456789abcdef0";
  v.image_id = "ami-08c40ec9ead489470";
  v.type = "m4.large";
  v.vpc_id = "vpc-1";
  v.subnet_id = "subnet-1";
  v.zone = "us-east-1a";
  v.private_ip = "172.31.0.4";
  v.mac = "02:42:ac:1f:00:04";
  v.private_dns_name = "ip-172-31-0-4.ec2.internal";
  v.security_group_ids = {"sg-1", "sg-2"};
  v.key_name = "key";
  v.user_data = std::string("#!/bin/sh\n\0\xff\xfe", 13);
  v.launch_index = 3;
  v.launch_time_ms = 1'790'000'000'123;
  v.state = InstanceState::shutting_down;
  v.state_reason = {"Client.UserInitiatedShutdown", "text"};
  v.user_data_done = true;
  v.terminated_at_ms = 1'790'000'000'456;
  v.tags = {{"Name", "ein Täg"}, {"empty", ""}};
  return v;
}

TEST(Codec, InstanceKeepsEveryField) {
  const Instance in = full_instance();
  const auto out = decode_instance(encode(in));
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(encode(*out), encode(in));
  EXPECT_EQ(out->user_data, in.user_data);
  EXPECT_EQ(out->state, in.state);
  EXPECT_EQ(out->state_reason, in.state_reason);
  EXPECT_EQ(out->security_group_ids, in.security_group_ids);
  EXPECT_EQ(out->tags, in.tags);
  EXPECT_EQ(out->launch_time_ms, in.launch_time_ms);
  EXPECT_TRUE(out->user_data_done);
}

TEST(Codec, ActionsThatValidateTokensAreKept) {
  Rule in;
  in.arn = "arn:rule";
  in.actions = {{1, JwtValidationAction{"https://idp.example/keys",
                                        "https://idp.example",
                                        {{"groups", JwtClaim::Format::string_array, {"a", "b"}}}}},
                {2, FixedResponseAction{}}};
  const auto out = decode_rule(encode(in));
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(encode(*out), encode(in));
  const auto& action = std::get<JwtValidationAction>(out->actions[0].config);
  EXPECT_EQ(action.additional_claims[0].format, JwtClaim::Format::string_array);
  EXPECT_EQ(action.additional_claims[0].values, (std::vector<std::string>{"a", "b"}));
}

TEST(Codec, RuleKeepsActionsAndConditions) {
  Rule in;
  in.arn = "arn:rule";
  in.listener_arn = "arn:listener";
  in.priority = 10;
  Condition path;
  path.values = {"/cluster1", "/cluster1/*"};
  Condition query;
  query.field = ConditionField::query_string;
  query.query = {{"version", "v1"}, {std::nullopt, "*example*"}};
  Condition header;
  header.field = ConditionField::http_header;
  header.http_header_name = "User-Agent";
  header.regex_values = {"^curl/"};
  in.conditions = {path, query, header};
  in.actions = {
      Action{.order = 7, .config = ForwardAction{{{"arn:a", 1}, {"arn:b", 999}}, true, 60}}};

  const auto out = decode_rule(encode(in));
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(encode(*out), encode(in));
  ASSERT_EQ(out->conditions.size(), 3U);
  EXPECT_EQ(out->conditions[1].field, ConditionField::query_string);
  EXPECT_EQ(out->conditions[1].query[0].key, "version");
  EXPECT_EQ(out->conditions[1].query[1].key, std::nullopt);
  const auto& forward = std::get<ForwardAction>(out->actions.at(0).config);
  EXPECT_EQ(out->actions[0].order, 7);
  EXPECT_EQ(forward.target_groups.at(1).weight, 999);
  EXPECT_TRUE(forward.stickiness_enabled);
}

TEST(Codec, ListenerKeepsRedirectAndFixedResponse) {
  Listener in;
  in.port = 65'535;
  in.bound_port = 8080;
  in.ssl_policy = "ELBSecurityPolicy-2016-08";
  in.certificate_arns = {"arn:default", "arn:another"};
  in.mutual_authentication = {"verify", "arn:store", true, true};
  in.default_actions = {
      Action{.config = RedirectAction{"HTTPS", "#{host}", "443", "/#{path}", "#{query}", 302}},
      Action{.config = FixedResponseAction{503, "text/html", "<p>\"down\"</p>"}}};
  const auto out = decode_listener(encode(in));
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(out->port, 65'535);
  EXPECT_EQ(out->ssl_policy, in.ssl_policy);
  EXPECT_EQ(out->certificate_arns, in.certificate_arns);
  EXPECT_EQ(out->mutual_authentication, in.mutual_authentication);
  EXPECT_EQ(std::get<RedirectAction>(out->default_actions.at(0).config).status_code, 302);
  EXPECT_EQ(std::get<FixedResponseAction>(out->default_actions.at(1).config).message_body,
            "<p>\"down\"</p>");
}

TEST(Codec, EveryOtherKindSurvivesTheRoundTrip) {
  const Vpc vpc{"vpc-1", "172.31.0.0/16", true, {{"a", "b"}}};
  EXPECT_EQ(encode(*decode_vpc(encode(vpc))), encode(vpc));
  Certificate certificate;
  certificate.arn = "arn:aws:acm:us-east-1:123456789012:certificate/1";
  certificate.private_key = "secret";
  certificate.subject_alternative_names = {"a.test", "*.a.test"};
  certificate.not_after_ms = 5;
  certificate.version = 7;
  EXPECT_EQ(encode(*decode_certificate(encode(certificate))), encode(certificate));
  const Subnet subnet{"subnet-1", "vpc-1", "us-east-1a", "use1-az1", "172.31.0.0/20", true, {}};
  EXPECT_EQ(encode(*decode_subnet(encode(subnet))), encode(subnet));
  const SecurityGroup group{
      "sg-1", "web", "text", "vpc-1", {{"tcp", 80, 80, "0.0.0.0/0", "", "", "all"}}, {}, {}};
  const auto decoded = decode_security_group(encode(group));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->ingress, group.ingress);
  TargetGroup target_group;
  target_group.arn = "arn:tg";
  target_group.health_check.path = "/health?x=1";
  target_group.attributes = {{"deregistration_delay.timeout_seconds", "5"}};
  EXPECT_EQ(encode(*decode_target_group(encode(target_group))), encode(target_group));
  const Target target{"arn:tg", "i-1", 8080, "us-east-1a", 5, 9};
  EXPECT_EQ(encode(*decode_target(encode(target))), encode(target));
  LoadBalancer load_balancer;
  load_balancer.state = LoadBalancerState::active;
  load_balancer.nodes = {{"us-east-1a", "subnet-1", "172.31.0.4"}};
  const auto balancer = decode_load_balancer(encode(load_balancer));
  ASSERT_TRUE(balancer);
  EXPECT_EQ(balancer->state, LoadBalancerState::active);
  EXPECT_EQ(balancer->nodes.at(0).private_ip, "172.31.0.4");
  Stack stack;
  stack.name = "web";
  stack.template_body = "Resources:\n  A: é\n";
  stack.resources = {
      {"A", "i-1", "AWS::EC2::Instance", "CREATE_COMPLETE", "", {{"k", "v"}}, {"B"}}};
  stack.outputs = {{"Url", "http://x", ""}};
  EXPECT_EQ(encode(*decode_stack(encode(stack))), encode(stack));
}

TEST(Codec, MissingFieldsTakeDefaultsAndUnknownOnesAreIgnored) {
  const auto group = decode_target_group(R"({"name":"web","invented_later":{"a":[1]}})");
  ASSERT_TRUE(group) << group.error().message;
  EXPECT_EQ(group->name, "web");
  EXPECT_EQ(group->port, 80);
  EXPECT_EQ(group->health_check.interval_seconds, 30);
}

struct BadCase {
  const char* json;
  const char* message;
};

class BadInstance : public testing::TestWithParam<BadCase> {};

TEST_P(BadInstance, NamesTheField) {
  const auto result = decode_instance(GetParam().json);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "BadRecord");
  EXPECT_EQ(result.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Codec, BadInstance,
    testing::Values(BadCase{R"([])", "instance: expected an object, found array"},
                    BadCase{R"({"id":5})", "instance.id: expected a string, found number"},
                    BadCase{R"({"launch_index":"1"})",
                            "instance.launch_index: expected an integer, found string"},
                    BadCase{R"({"launch_index":1.5})",
                            "instance.launch_index: expected an integer, found number"},
                    BadCase{R"({"launch_index":2147483648})",
                            "instance.launch_index: the number is out of range"},
                    BadCase{R"({"launch_time_ms":18446744073709551615})",
                            "instance.launch_time_ms: the number is out of range"},
                    BadCase{R"({"state":"asleep"})", "instance.state: 'asleep' is not known"},
                    BadCase{R"({"user_data":"a*b"})", "instance.user_data: not base64"},
                    BadCase{R"({"security_group_ids":["sg-1",null]})",
                            "instance.security_group_ids[1]: expected a string, found null"},
                    BadCase{R"({"tags":{"a":1}})", "instance.tags.a: expected a string"},
                    BadCase{R"({"state_reason":{"code":true}})",
                            "instance.state_reason.code: expected a string, found boolean"},
                    BadCase{R"({"user_data_done":1})",
                            "instance.user_data_done: expected true or false, found number"}));

TEST(Codec, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "{\"id\":\"\xff\"}", "{} {}"}) {
    const auto result = decode_vpc(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, "BadRecord");
  }
}

TEST(Codec, AnUnknownActionIsAnError) {
  const auto rule = decode_rule(R"({"actions":[{"type":"teleport","config":{}}]})");
  ASSERT_FALSE(rule);
  EXPECT_EQ(rule.error().message, "rule.actions[0].type: 'teleport' is not known");
}

TEST(Codec, InvalidTextIsReplacedNotThrown) {
  Vpc vpc;
  vpc.tags["a"] = "\xff";
  EXPECT_TRUE(decode_vpc(encode(vpc)));
}

}  // namespace
}  // namespace weir::model
