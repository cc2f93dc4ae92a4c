// VPCs, subnets, zones; filters and pages.
#include "aws/ec2/filters.hpp"
#include "ec2_fixture.hpp"

namespace weir::aws {
namespace {

TEST(Ec2Filters, WildcardsMatch) {
  using ec2::matches;
  EXPECT_TRUE(matches("", ""));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*c", "abbc"));
  EXPECT_TRUE(matches("a*b*c", "axbxbxc"));
  EXPECT_TRUE(matches("?b", "ab"));
  EXPECT_TRUE(matches("a\\*", "a*"));
  EXPECT_FALSE(matches("a\\*", "ab"));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("?", ""));
  EXPECT_FALSE(matches("a*c", "abcd"));
  EXPECT_FALSE(matches("ABC", "abc"));
}

TEST_F(Ec2ApiTest, EveryOperationHasItsHandler) {
  for (const auto& [name, operation] : description_->operations) {
    EXPECT_TRUE(handlers_.contains(name)) << name;
  }
  EXPECT_EQ(handlers_.size(), description_->operations.size());
}

TEST_F(Ec2ApiTest, TheDefaultVpcIsThere) {
  const auto vpcs =
      list("DescribeVpcs", {{"Filter.1.Name", "is-default"}, {"Filter.1.Value.1", "true"}}, "Vpcs");
  ASSERT_EQ(vpcs.size(), 1U);
  EXPECT_EQ(vpcs[0].text("CidrBlock"), "172.31.0.0/16");
  EXPECT_EQ(vpcs[0].text("State"), "available");
  EXPECT_TRUE(
      list("DescribeVpcs", {{"Filter.1.Name", "is-default"}, {"Filter.1.Value.1", "false"}}, "Vpcs")
          .empty());
  EXPECT_EQ(code("DescribeVpcs", {{"VpcId.1", "vpc-0123456789abcdef0"}}), "InvalidVpcID.NotFound");
  EXPECT_EQ(code("DescribeVpcs", {{"VpcId.1", "x"}}), "InvalidVpcID.Malformed");
  EXPECT_EQ(message("DescribeVpcs", {{"Filter.1.Name", "colour"}, {"Filter.1.Value.1", "red"}}),
            "The filter 'colour' is invalid");
}

TEST_F(Ec2ApiTest, TheDefaultVpcHasItsParts) {
  const auto vpc = list("DescribeVpcs", {}, "Vpcs").at(0);
  const auto tables =
      list("DescribeRouteTables",
           {{"Filter.1.Name", "vpc-id"}, {"Filter.1.Value.1", vpc.text("VpcId")}}, "RouteTables");
  ASSERT_EQ(tables.size(), 1U);
  const auto& routes = tables[0].list("Routes");
  EXPECT_EQ(routes.at(0).text("DestinationCidrBlock"), vpc.text("CidrBlock"));
  const auto gateway = list("DescribeInternetGateways", {}, "InternetGateways").at(0);
  EXPECT_EQ(routes.at(1).text("GatewayId"), gateway.text("InternetGatewayId"));
  EXPECT_EQ(gateway.list("Attachments").at(0).text("VpcId"), vpc.text("VpcId"));
  const auto acl = list("DescribeNetworkAcls", {}, "NetworkAcls").at(0);
  EXPECT_EQ(acl.list("Associations").size(), list("DescribeSubnets", {}, "Subnets").size());
  EXPECT_EQ(acl.list("Entries").size(), 4U);
  const auto dhcp = list("DescribeDhcpOptions", {}, "DhcpOptions").at(0);
  EXPECT_EQ(dhcp.text("DhcpOptionsId"), vpc.text("DhcpOptionsId"));
  EXPECT_EQ(code("DescribeRouteTables", {{"RouteTableId.1", "rtb-0123456789abcdef0"}}),
            "InvalidRouteTableID.NotFound");
}

TEST_F(Ec2ApiTest, AttributesOfTheVpcAndTheAccount) {
  const auto vpc = list("DescribeVpcs", {}, "Vpcs").at(0).text("VpcId");
  const auto hostnames =
      call("DescribeVpcAttribute", {{"VpcId", vpc}, {"Attribute", "enableDnsHostnames"}});
  ASSERT_TRUE(hostnames);
  EXPECT_EQ(hostnames->find("EnableDnsHostnames")->flag("Value"), true);
  EXPECT_FALSE(hostnames->has("EnableDnsSupport"));
  EXPECT_EQ(code("DescribeVpcAttribute",
                 {{"VpcId", "vpc-0123456789abcdef0"}, {"Attribute", "enableDnsSupport"}}),
            "InvalidVpcID.NotFound");
  const auto account =
      list("DescribeAccountAttributes", {{"AttributeName.1", "default-vpc"}}, "AccountAttributes");
  ASSERT_EQ(account.size(), 1U);
  EXPECT_EQ(account[0].list("AttributeValues").at(0).text("AttributeValue"), vpc);
}

TEST_F(Ec2ApiTest, WhatIsRefusedSaysWhatToDo) {
  for (const auto& [name, words] :
       std::vector<std::pair<std::string, std::string>>{{"CreateVpc", "DescribeVpcs"},
                                                        {"AllocateAddress", "weir ssh"},
                                                        {"RegisterImage", "weir image import"}}) {
    ASSERT_TRUE(description_->refused.contains(name)) << name;
    EXPECT_NE(description_->refused.at(name).find(words), std::string::npos) << name;
  }
}

TEST_F(Ec2ApiTest, SubnetsComeByPages) {
  std::set<std::string> seen;
  std::string token;
  for (int calls = 0; calls < 2; ++calls) {
    Parameters parameters{{"MaxResults", "5"}};
    if (!token.empty()) parameters.emplace_back("NextToken", token);
    const auto page = call("DescribeSubnets", parameters);
    ASSERT_TRUE(page);
    for (const Value& subnet : page->list("Subnets")) seen.insert(subnet.text("SubnetId"));
    token = page->text("NextToken");
  }
  EXPECT_EQ(seen.size(), 6U);
  EXPECT_TRUE(token.empty());
  EXPECT_EQ(code("DescribeSubnets", {{"NextToken", "made-up"}}), "InvalidNextToken");
}

TEST_F(Ec2ApiTest, SubnetsTellTheirFreeAddresses) {
  const auto subnets = list("DescribeSubnets",
                            {{"Filter.1.Name", "availability-zone"},
                             {"Filter.1.Value.1", "us-east-1a"},
                             {"Filter.1.Value.2", "*-1b"},
                             {"Filter.2.Name", "cidr-block"},
                             {"Filter.2.Value.1", "172.31.0.0/*"}},
                            "Subnets");
  ASSERT_EQ(subnets.size(), 1U);
  EXPECT_EQ(subnets[0].integer("AvailableIpAddressCount"), 4091);
  EXPECT_EQ(subnets[0].text("AvailabilityZoneId"), "use1-az1");
}

TEST_F(Ec2ApiTest, ZonesAndRegions) {
  EXPECT_EQ(list("DescribeAvailabilityZones", {}, "AvailabilityZones").size(), 6U);
  EXPECT_EQ(list("DescribeAvailabilityZones", {{"ZoneName.1", "us-east-1b"}}, "AvailabilityZones")
                .at(0)
                .text("ZoneId"),
            "use1-az2");
  EXPECT_EQ(code("DescribeAvailabilityZones", {{"ZoneName.1", "us-east-1x"}}),
            "InvalidParameterValue");
  EXPECT_EQ(list("DescribeRegions", {}, "Regions").at(0).text("RegionName"), "us-east-1");
}

TEST_F(Ec2ApiTest, TheDefaultGroupIsOpenToItsMembers) {
  const auto groups =
      list("DescribeSecurityGroups", {{"GroupName.1", "default"}}, "SecurityGroups");
  ASSERT_EQ(groups.size(), 1U);
  const Value& inward = groups[0].list("IpPermissions").at(0);
  EXPECT_EQ(inward.list("UserIdGroupPairs").at(0).text("GroupId"), groups[0].text("GroupId"));
  EXPECT_FALSE(inward.has("FromPort"));
  EXPECT_EQ(groups[0].list("IpPermissionsEgress").at(0).list("IpRanges").at(0).text("CidrIp"),
            "0.0.0.0/0");
}

}  // namespace
}  // namespace weir::aws
