// Security groups and their rules, key pairs, tags.
#include "ec2_fixture.hpp"
#include "model/base64.hpp"

namespace weir::aws {
namespace {

class Ec2GroupsTest : public Ec2ApiTest {
 protected:
  std::string make_group(const std::string& name) {
    const auto made =
        call("CreateSecurityGroup", {{"GroupName", name}, {"GroupDescription", "test"}});
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return made ? made->text("GroupId") : "";
  }
  static Parameters http_from(const std::string& group, const std::string& cidr) {
    return {{"GroupId", group},
            {"IpPermissions.1.IpProtocol", "tcp"},
            {"IpPermissions.1.FromPort", "80"},
            {"IpPermissions.1.ToPort", "80"},
            {"IpPermissions.1.IpRanges.1.CidrIp", cidr},
            {"IpPermissions.1.IpRanges.1.Description", "web"}};
  }
  Value::List rules_of(const std::string& group) {
    return list("DescribeSecurityGroupRules",
                {{"Filter.1.Name", "group-id"}, {"Filter.1.Value.1", group}}, "SecurityGroupRules");
  }
};

TEST_F(Ec2GroupsTest, RulesKeepTheirIdsOverARestart) {
  const auto group = make_group("web");
  const auto added = list("AuthorizeSecurityGroupIngress", http_from(group, "100.68.0.18/18"),
                          "SecurityGroupRules");
  ASSERT_EQ(added.size(), 1U);
  EXPECT_EQ(added[0].text("CidrIpv4"), "100.68.0.0/18");
  EXPECT_TRUE(added[0].text("SecurityGroupRuleId").starts_with("sgr-"));
  start();
  const auto found =
      list("DescribeSecurityGroupRules",
           {{"SecurityGroupRuleId.1", added[0].text("SecurityGroupRuleId")}}, "SecurityGroupRules");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].text("Description"), "web");
  EXPECT_EQ(found[0].flag("IsEgress"), false);
}

TEST_F(Ec2GroupsTest, ARuleIsModifiedUnderItsId) {
  const auto group = make_group("web");
  const auto id =
      list("AuthorizeSecurityGroupIngress", http_from(group, "10.0.0.0/8"), "SecurityGroupRules")
          .at(0)
          .text("SecurityGroupRuleId");
  EXPECT_EQ(code("ModifySecurityGroupRules",
                 {{"GroupId", group},
                  {"SecurityGroupRule.1.SecurityGroupRuleId", id},
                  {"SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "tcp"},
                  {"SecurityGroupRule.1.SecurityGroupRule.FromPort", "443"},
                  {"SecurityGroupRule.1.SecurityGroupRule.ToPort", "443"},
                  {"SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", "0.0.0.0/0"}}),
            "ok");
  const auto found =
      list("DescribeSecurityGroupRules", {{"SecurityGroupRuleId.1", id}}, "SecurityGroupRules");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].integer("FromPort"), 443);
}

TEST_F(Ec2GroupsTest, RulesAreRevokedByWhatTheySayAndByTheirIds) {
  const auto group = make_group("web");
  ASSERT_EQ(code("AuthorizeSecurityGroupIngress", http_from(group, "10.0.0.0/8")), "ok");
  EXPECT_EQ(code("AuthorizeSecurityGroupIngress", http_from(group, "10.0.0.0/8")),
            "InvalidPermission.Duplicate");
  EXPECT_EQ(code("RevokeSecurityGroupIngress", http_from(group, "10.0.0.0/9")),
            "InvalidPermission.NotFound");
  EXPECT_EQ(code("RevokeSecurityGroupIngress", http_from(group, "10.0.0.0/8")), "ok");
  const auto rest = rules_of(group);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].flag("IsEgress"), true);
  const Parameters by_id{{"GroupId", group},
                         {"SecurityGroupRuleId.1", rest[0].text("SecurityGroupRuleId")}};
  EXPECT_EQ(code("RevokeSecurityGroupEgress", by_id), "ok");
  EXPECT_EQ(code("RevokeSecurityGroupEgress", by_id), "InvalidSecurityGroupRuleId.NotFound");
  EXPECT_TRUE(rules_of(group).empty());
}

TEST_F(Ec2GroupsTest, AGroupInUseStays) {
  const auto web = make_group("web");
  const auto database = make_group("database");
  EXPECT_EQ(code("CreateSecurityGroup", {{"GroupName", "WEB"}, {"GroupDescription", "test"}}),
            "InvalidGroup.Duplicate");
  ASSERT_EQ(code("AuthorizeSecurityGroupIngress", {{"GroupId", database},
                                                   {"IpPermissions.1.IpProtocol", "-1"},
                                                   {"IpPermissions.1.Groups.1.GroupId", web}}),
            "ok");
  EXPECT_EQ(code("DeleteSecurityGroup", {{"GroupId", web}}), "DependencyViolation");
  EXPECT_EQ(code("DeleteSecurityGroup", {{"GroupId", database}}), "ok");
  EXPECT_EQ(code("DeleteSecurityGroup", {{"GroupId", web}}), "ok");
  EXPECT_EQ(code("DeleteSecurityGroup", {{"GroupId", web}}), "InvalidGroup.NotFound");
}

// The comment of the line is the name from now on.
TEST_F(Ec2GroupsTest, AKeyIsImported) {
  const std::string line =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
  const auto made = call("ImportKeyPair",
                         {{"KeyName", "mine"}, {"PublicKeyMaterial", model::base64_encode(line)}});
  ASSERT_TRUE(made) << made.error().message;
  const auto pairs = list("DescribeKeyPairs", {{"IncludePublicKey", "true"}}, "KeyPairs");
  ASSERT_EQ(pairs.size(), 1U);
  EXPECT_TRUE(pairs[0].text("PublicKey").starts_with(line + " mine"));
  EXPECT_EQ(pairs[0].text("KeyType"), "ed25519");
  EXPECT_EQ(code("ImportKeyPair", {{"KeyName", "other"},
                                   {"PublicKeyMaterial", model::base64_encode("ssh-rsa AAAA")}}),
            "InvalidKey.Format");
}

TEST_F(Ec2GroupsTest, ThePrivateKeyIsToldOnce) {
  for (const std::string type : {"rsa", "ed25519"}) {
    const auto made = call("CreateKeyPair", {{"KeyName", type}, {"KeyType", type}});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_TRUE(made->text("KeyMaterial").starts_with("-----BEGIN "));
    EXPECT_EQ(code("CreateKeyPair", {{"KeyName", type}}), "InvalidKeyPair.Duplicate");
  }
  start();
  EXPECT_EQ(list("DescribeKeyPairs", {}, "KeyPairs").size(), 2U);
  EXPECT_EQ(code("DeleteKeyPair", {{"KeyName", "rsa"}}), "ok");
  EXPECT_EQ(code("DescribeKeyPairs", {{"KeyName.1", "rsa"}}), "InvalidKeyPair.NotFound");
}

TEST_F(Ec2GroupsTest, TagsAreMadeFoundAndDeleted) {
  const auto group = make_group("web");
  ASSERT_EQ(code("CreateTags", {{"ResourceId.1", group},
                                {"Tag.1.Key", "stage"},
                                {"Tag.1.Value", "test"},
                                {"Tag.2.Key", "owner"},
                                {"Tag.2.Value", "me"}}),
            "ok");
  EXPECT_EQ(code("CreateTags", {{"ResourceId.1", group},
                                {"ResourceId.2", "sg-0123456789abcdef0"},
                                {"Tag.1.Key", "more"},
                                {"Tag.1.Value", ""}}),
            "InvalidGroup.NotFound");
  const Parameters of_group{{"Filter.1.Name", "resource-id"}, {"Filter.1.Value.1", group}};
  EXPECT_EQ(list("DescribeTags", of_group, "Tags").size(), 2U);
  EXPECT_EQ(list("DescribeSecurityGroups",
                 {{"Filter.1.Name", "tag:stage"}, {"Filter.1.Value.1", "te*"}}, "SecurityGroups")
                .size(),
            1U);
  EXPECT_EQ(code("DeleteTags", {{"ResourceId.1", group},
                                {"Tag.1.Key", "stage"},
                                {"Tag.1.Value", "live"},
                                {"Tag.2.Key", "owner"}}),
            "ok");
  EXPECT_EQ(list("DescribeTags", of_group, "Tags").at(0).text("Key"), "stage");
}

}  // namespace
}  // namespace weir::aws
