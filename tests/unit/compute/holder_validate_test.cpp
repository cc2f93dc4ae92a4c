// What the holder refuses to believe.
#include <gtest/gtest.h>

#include "compute/ipv4.hpp"
#include "compute/layout.hpp"
#include "compute/validate.hpp"

namespace weir::compute {
namespace {

InstanceSpec good() {
  InstanceSpec spec;
  spec.id = "i-0123456789abcdef0";
  spec.image_id = "ami-08c40ec9ead489470";
  spec.hostname = "ip-172-31-0-10.ec2.internal";
  spec.private_ip = "172.31.0.10";
  spec.vpc_cidr = "172.31.0.0/16";
  spec.gateway = "172.31.0.1";
  spec.mac = "02:aa:bb:cc:dd:ee";
  spec.vcpus = 2;
  spec.memory_mib = 8192;
  return spec;
}

// The verdict on a good specification with one thing changed.
template <typename Change>
bool is_valid_with(Change change) {
  InstanceSpec spec = good();
  change(spec);
  return validate(spec).has_value();
}

TEST(Validate, InstanceIds) {
  EXPECT_TRUE(is_instance_id("i-0123456789abcdef0"));
  EXPECT_TRUE(is_instance_id("i-01234567"));
  for (const char* bad : {"", "i-", "i-0123456", "i-0123456789abcdef01", "i-0123456G", "I-01234567",
                          "i-../../etc", "i-01234567/", "i-01234567\n", "x-01234567"}) {
    EXPECT_FALSE(is_instance_id(bad)) << bad;
  }
}

TEST(Validate, Specification) {
  EXPECT_TRUE(is_valid_with([](InstanceSpec&) {}));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.image_id = "ami-../x"; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.hostname = "a b"; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.hostname = ""; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.private_ip = "10.0.0.1"; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.gateway = "10.0.0.1"; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.vpc_cidr = "172.31.0.0"; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.mac = "01:aa:bb:cc:dd:ee"; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.mac = "02-aa-bb-cc-dd-ee"; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.vcpus = 0; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.memory_mib = ~0ULL; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.public_key = "ssh x\nevil"; }));
  EXPECT_FALSE(is_valid_with([](InstanceSpec& spec) { spec.user_data.assign(16'385, 'x'); }));
  EXPECT_TRUE(is_valid_with([](InstanceSpec& spec) { spec.user_data.assign(16'384, 'x'); }));
}

TEST(Validate, FirewallRules) {
  const auto is_valid = [](FirewallRule rule) {
    return validate(Firewall{{std::move(rule)}, {}}).has_value();
  };
  EXPECT_TRUE(is_valid({"tcp", 80, 80, {"0.0.0.0/0", "::/0", "10.0.0.1"}}));
  EXPECT_FALSE(is_valid({"tcp; flush ruleset", 80, 80, {}}));
  EXPECT_FALSE(is_valid({"tcp", 80, 65'536, {}}));
  EXPECT_FALSE(is_valid({"tcp", -2, 80, {}}));
  EXPECT_FALSE(is_valid({"tcp", 80, 80, {"1.2.3.4 } accept; #"}}));
  EXPECT_FALSE(is_valid({"tcp", 80, 80, {"10.0.0.0/33"}}));
  EXPECT_FALSE(is_valid({"tcp", 80, 80, {"10.0.0.0/"}}));
  EXPECT_FALSE(is_valid({"tcp", 80, 80, {"::/129"}}));
}

TEST(Validate, Vpcs) {
  EXPECT_TRUE(validate(VpcSpec{"10.0.0.0/16", "10.0.0.1"}));
  EXPECT_FALSE(validate(VpcSpec{"10.0.0.0/16", "10.1.0.1"}));
  EXPECT_FALSE(validate(VpcSpec{"10.0.0.0/29", "10.0.0.1"}));
  EXPECT_FALSE(validate(VpcSpec{"0.0.0.0/0", "10.0.0.1"}));
}

TEST(Ipv4, CidrsAndRanges) {
  const auto cidr = parse_ipv4_cidr("10.1.2.3/8");
  ASSERT_TRUE(cidr);
  EXPECT_EQ(format_ipv4(cidr->range().first), "10.0.0.0");
  EXPECT_EQ(format_ipv4(cidr->range().last), "10.255.255.255");
  EXPECT_EQ(parse_ipv4_cidr("0.0.0.0/0")->range().last, ~0U);
  EXPECT_EQ(parse_ipv4_cidr("1.2.3.4")->prefix, 32);
  EXPECT_TRUE(
      parse_ipv4_cidr("10.0.0.0/8")->range().overlaps(parse_ipv4_cidr("10.9.0.0/16")->range()));
  EXPECT_FALSE(
      parse_ipv4_cidr("10.0.0.0/9")->range().overlaps(parse_ipv4_cidr("10.128.0.0/9")->range()));
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.0.0.1", " 1.2.3.4",
                          "1.2.3.4/-1", "1.2.3.4/1x", "a.b.c.d"}) {
    EXPECT_FALSE(parse_ipv4_cidr(bad)) << bad;
  }
}

TEST(Layout, NamesOfOneFolderAreStableAndOwn) {
  const auto one = Layout::of("/var/lib/weir");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->tag, Layout::of("/var/lib/weir/")->tag);
  EXPECT_NE(one->tag, Layout::of("/var/lib/weir2")->tag);
  EXPECT_EQ(one->bridge(), "weir" + one->tag);
  EXPECT_LE(one->bridge().size(), 15U);
  EXPECT_FALSE(Layout::of("relative"));
  EXPECT_FALSE(Layout::of("/with,comma"));
  EXPECT_FALSE(Layout::of("/with:colon"));
}

}  // namespace
}  // namespace weir::compute
