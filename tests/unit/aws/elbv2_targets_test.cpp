// ELBv2's operations on target groups, targets, tags, limits and trust stores.
#include <gtest/gtest.h>

#include "elbv2_fixture.hpp"

namespace weir::aws {
namespace {

// ---------------------------------------------------------------- target groups, targets
const Parameters group_parameters{
    {"Name", "g2"}, {"Protocol", "HTTP"}, {"Port", "80"}, {"VpcId", "vpc-1"}};

TEST_F(Elbv2, TargetGroups) {
  const auto made =
      list("CreateTargetGroup",
           with(group_parameters, {{"HealthCheckPath", "/up"}, {"Matcher.HttpCode", "200-299"}}),
           "TargetGroups");
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].text("HealthCheckPath"), "/up");
  EXPECT_EQ(made[0].find("Matcher")->text("HttpCode"), "200-299");
  EXPECT_EQ(made[0].integer("HealthCheckIntervalSeconds"), 30);
  EXPECT_TRUE(made[0].list("LoadBalancerArns").empty());
  const std::string arn = made[0].text("TargetGroupArn");
  const auto of_balancer =
      list("DescribeTargetGroups", {{"LoadBalancerArn", balancer_}}, "TargetGroups");
  ASSERT_EQ(of_balancer.size(), 1U);
  EXPECT_EQ(of_balancer[0].texts("LoadBalancerArns"), std::vector<std::string>{balancer_});
  EXPECT_EQ(list("DescribeTargetGroups", {}, "TargetGroups").size(), 2U);
  EXPECT_EQ(list("DescribeTargetGroups", {{"Names.member.1", "g2"}}, "TargetGroups").size(), 1U);
  EXPECT_EQ(message("DescribeTargetGroups", {{"Names.member.1", "none"}}),
            "One or more target groups not found");
  EXPECT_EQ(
      code("DescribeTargetGroups", {{"Names.member.1", "g2"}, {"TargetGroupArns.member.1", arn}}),
      "ValidationError");
  const auto changed = list("ModifyTargetGroup",
                            {{"TargetGroupArn", arn},
                             {"HealthCheckIntervalSeconds", "10"},
                             {"HealthyThresholdCount", "2"}},
                            "TargetGroups");
  EXPECT_EQ(changed[0].integer("HealthCheckIntervalSeconds"), 10);
  EXPECT_EQ(changed[0].text("HealthCheckPath"), "/up");
  EXPECT_EQ(message("DeleteTargetGroup", {{"TargetGroupArn", group_}}),
            "Target group '" + group_ + "' is currently in use by a listener or a rule");
  EXPECT_TRUE(call("DeleteTargetGroup", {{"TargetGroupArn", arn}}));
  EXPECT_TRUE(call("DeleteTargetGroup", {{"TargetGroupArn", arn}}));
}

TEST_F(Elbv2, BadTargetGroups) {
  const auto code_with = [&](const Parameters& more) {
    return code("CreateTargetGroup", with(group_parameters, more));
  };
  EXPECT_EQ(code_with({{"Protocol", "TCP"}}), "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"Protocol", "GENEVE"}}), "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"Protocol", "X"}}), "ValidationError");
  EXPECT_EQ(code_with({{"TargetType", "alb"}}), "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"TargetType", "lambda"}}), "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"HealthCheckProtocol", "TCP"}}), "ValidationError");
  EXPECT_EQ(code_with({{"HealthCheckIntervalSeconds", "4"}}), "ValidationError");
  EXPECT_EQ(code_with({{"TargetControlPort", "3000"}}), "InvalidConfigurationRequest");
  EXPECT_EQ(code_with({{"Name", "g1"}, {"HealthCheckPath", "/x"}}), "DuplicateTargetGroupName");
  EXPECT_EQ(code_with({{"VpcId", "vpc-x"}}), "ValidationError");
  EXPECT_EQ(code("CreateTargetGroup", {{"Name", "g2"}}), "ValidationError");
}

TEST_F(Elbv2, TargetsAndTheirHealth) {
  const Parameters targets{{"TargetGroupArn", group_},
                           {"Targets.member.1.Id", id_a},
                           {"Targets.member.2.Id", id_b},
                           {"Targets.member.2.Port", "81"}};
  ASSERT_TRUE(call("RegisterTargets", targets));
  data_plane_.healths[control::TargetKey{group_, id_a, 80}] = {"", 0, "", "healthy", "", ""};
  auto health =
      list("DescribeTargetHealth", {{"TargetGroupArn", group_}}, "TargetHealthDescriptions");
  ASSERT_EQ(health.size(), 2U);
  EXPECT_EQ(health[0].find("TargetHealth")->text("State"), "healthy");
  EXPECT_FALSE(health[0].find("TargetHealth")->has("Reason"));
  EXPECT_EQ(health[1].text("HealthCheckPort"), "81");
  EXPECT_EQ(health[1].find("TargetHealth")->text("Reason"), "Elb.RegistrationInProgress");
  health = list(
      "DescribeTargetHealth",
      {{"TargetGroupArn", group_}, {"Targets.member.1.Id", id_a}, {"Targets.member.2.Id", id_c}},
      "TargetHealthDescriptions");
  ASSERT_EQ(health.size(), 2U);
  EXPECT_EQ(health[1].find("TargetHealth")->text("State"), "unused");
  EXPECT_EQ(health[1].find("TargetHealth")->text("Reason"), "Target.NotRegistered");
  ASSERT_TRUE(call("DeregisterTargets", targets));
  health = list("DescribeTargetHealth", {{"TargetGroupArn", group_}}, "TargetHealthDescriptions");
  EXPECT_EQ(health[0].find("TargetHealth")->text("State"), "draining");
  EXPECT_EQ(code("RegisterTargets", with(targets, {{"Targets.member.1.Id", id_pending}})),
            "InvalidTarget");
  EXPECT_EQ(code("DescribeTargetHealth", {{"TargetGroupArn", no_group}}), "TargetGroupNotFound");
}

// ---------------------------------------------------------------- tags, limits, the rest
TEST_F(Elbv2, Tags) {
  const Parameters add{{"ResourceArns.member.1", listener_},
                       {"ResourceArns.member.2", group_},
                       {"Tags.member.1.Key", "a"},
                       {"Tags.member.1.Value", "1"}};
  ASSERT_TRUE(call("AddTags", add));
  EXPECT_EQ(code("AddTags", with(add, {{"Tags.member.2.Key", "a"}})), "DuplicateTagKeys");
  EXPECT_EQ(code("AddTags", with(add, {{"Tags.member.1.Key", "aws:a"}})), "ValidationError");
  EXPECT_EQ(code("AddTags", with(add, {{"Tags.member.1.Key", "a<b"}})), "ValidationError");
  EXPECT_EQ(code("AddTags", with(add, {{"ResourceArns.member.2", group_ + "0"}})),
            "TargetGroupNotFound");
  ASSERT_TRUE(call("RemoveTags", {{"ResourceArns.member.1", group_}, {"TagKeys.member.1", "a"}}));
  const auto tags = list("DescribeTags",
                         {{"ResourceArns.member.1", group_}, {"ResourceArns.member.2", listener_}},
                         "TagDescriptions");
  EXPECT_TRUE(tags[0].list("Tags").empty());
  EXPECT_EQ(tags[1].list("Tags").size(), 1U);
}

TEST_F(Elbv2, LimitsAndPolicies) {
  const auto max = [&](const std::string& name) {
    for (const Value& each : list("DescribeAccountLimits", {}, "Limits")) {
      if (each.text("Name") == name) return each.text("Max");
    }
    return std::string();
  };
  EXPECT_EQ(max("rules-per-application-load-balancer"), "50000");
  use_limits(control::aws_limits());
  EXPECT_EQ(max("rules-per-application-load-balancer"), "100");
  EXPECT_EQ(max("application-load-balancers"), "50");
  const auto page = call("DescribeAccountLimits", {{"PageSize", "10"}});
  ASSERT_TRUE(page);
  EXPECT_EQ(list("DescribeAccountLimits", {{"Marker", page->text("NextMarker")}}, "Limits").size(),
            2U);
  const auto policies =
      list("DescribeSSLPolicies", {{"Names.member.1", "ELBSecurityPolicy-2016-08"}}, "SslPolicies");
  ASSERT_EQ(policies.size(), 1U);
  EXPECT_EQ(policies[0].list("Ciphers")[0].text("Name"), "ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_EQ(policies[0].list("Ciphers")[0].integer("Priority"), 1);
  EXPECT_EQ(list("DescribeSSLPolicies", {}, "SslPolicies").size(), 46U);
  EXPECT_EQ(code("DescribeSSLPolicies", {{"Names.member.1", "x"}}), "SSLPolicyNotFound");
}

TEST_F(Elbv2, TrustStoresThatAreNotThere) {
  EXPECT_TRUE(list("DescribeTrustStores", {}, "TrustStores").empty());
  EXPECT_EQ(code("CreateTrustStore", {{"Name", "a"},
                                      {"CaCertificatesBundleS3Bucket", "bucket"},
                                      {"CaCertificatesBundleS3Key", "key"}}),
            "CaCertificatesBundleNotFound");
  EXPECT_EQ(code("DescribeTrustStores", {{"Names.member.1", "a"}}), "TrustStoreNotFound");
  for (const char* name : {"DeleteTrustStore", "DescribeTrustStoreAssociations",
                           "DescribeTrustStoreRevocations", "GetTrustStoreCaCertificatesBundle"}) {
    EXPECT_EQ(code(name, {{"TrustStoreArn", no_store}}), "TrustStoreNotFound") << name;
  }
  EXPECT_EQ(
      code("GetTrustStoreRevocationContent", {{"TrustStoreArn", no_store}, {"RevocationId", "1"}}),
      "TrustStoreNotFound");
  EXPECT_EQ(code("GetResourcePolicy", {{"ResourceArn", "arn:x"}}), "ResourceNotFound");
  EXPECT_EQ(code("DeleteSharedTrustStoreAssociation",
                 {{"TrustStoreArn", no_store}, {"ResourceArn", "arn:y"}}),
            "TrustStoreNotFound");
}

}  // namespace
}  // namespace weir::aws
