#include "model/cidr.hpp"

#include <gtest/gtest.h>

#include "model/base64.hpp"
#include "model/instance_types.hpp"
#include "model/names.hpp"

namespace weir::model {
namespace {

TEST(Ipv4, ParsesExactlyOneAddress) {
  EXPECT_EQ(Ipv4::parse("172.31.0.10")->value(), 0xAC1F000AU);
  EXPECT_EQ(Ipv4::parse("0.0.0.0")->value(), 0U);
  EXPECT_EQ(Ipv4::parse("255.255.255.255")->to_string(), "255.255.255.255");
  for (const char* bad : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ",
                          " 1.2.3.4", "1..3.4", "-1.2.3.4", "+1.2.3.4", "0x1.2.3.4", "1.2.3.4/8"}) {
    EXPECT_FALSE(Ipv4::parse(bad)) << bad;
  }
}

TEST(Cidr, ClearsHostBits) {
  EXPECT_EQ(Cidr::parse("100.68.0.18/18")->to_string(), "100.68.0.0/18");
  EXPECT_EQ(Cidr::parse("1.2.3.4/0")->to_string(), "0.0.0.0/0");
  EXPECT_EQ(Cidr::parse("1.2.3.4/32")->to_string(), "1.2.3.4/32");
}

TEST(Cidr, RefusesWhatIsNoRange) {
  for (const char* bad : {"", "/", "1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/08",
                          "1.2.3/24", "1.2.3.4/24/24", "::/0"}) {
    EXPECT_FALSE(Cidr::parse(bad)) << bad;
  }
}

TEST(Cidr, KnowsWhatLiesInIt) {
  const Cidr vpc = *Cidr::parse("172.31.0.0/16");
  EXPECT_TRUE(vpc.contains(*Ipv4::parse("172.31.255.255")));
  EXPECT_FALSE(vpc.contains(*Ipv4::parse("172.32.0.0")));
  EXPECT_TRUE(vpc.contains(*Cidr::parse("172.31.16.0/20")));
  EXPECT_FALSE(vpc.contains(*Cidr::parse("172.0.0.0/8")));
  EXPECT_TRUE(vpc.overlaps(*Cidr::parse("172.0.0.0/8")));
  EXPECT_TRUE(vpc.overlaps(*Cidr::parse("0.0.0.0/0")));
  EXPECT_FALSE(vpc.overlaps(*Cidr::parse("172.30.0.0/16")));
  EXPECT_EQ(vpc.size(), 65'536U);
  EXPECT_EQ(Cidr::parse("0.0.0.0/0")->size(), std::uint64_t{1} << 32U);
}

TEST(Cidr, CountsAddressesAndSubnets) {
  const Cidr vpc = *Cidr::parse("172.31.0.0/16");
  EXPECT_EQ(vpc.at(0).to_string(), "172.31.0.0");
  EXPECT_EQ(vpc.at(256).to_string(), "172.31.1.0");
  EXPECT_EQ(vpc.subnet(20, 0).to_string(), "172.31.0.0/20");
  EXPECT_EQ(vpc.subnet(20, 5).to_string(), "172.31.80.0/20");
}

TEST(Cidr, CanonicalisesIpv6) {
  EXPECT_EQ(*canonical_cidr_v6("2001:DB8::1/32"), "2001:db8::/32");
  EXPECT_EQ(*canonical_cidr_v6("::/0"), "::/0");
  EXPECT_EQ(*canonical_cidr_v6("fe80::ffff/113"), "fe80::8000/113");
  EXPECT_EQ(*canonical_cidr_v6("::1/128"), "::1/128");
  for (const char* bad : {"", "::", "::/129", "1.2.3.4/8", "::g/8", "::1%eth0/64"}) {
    EXPECT_FALSE(canonical_cidr_v6(bad)) << bad;
  }
}

TEST(Base64, MatchesTheRfcsVectors) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(base64_encode(plain), coded);
    EXPECT_EQ(base64_decode(coded), plain);
  }
}

TEST(Base64, KeepsEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const std::string part = bytes.substr(0, size);
    ASSERT_EQ(base64_decode(base64_encode(part)), part);
  }
}

TEST(Base64, RefusesWhatIsNone) {
  EXPECT_EQ(base64_decode("Zm9v\r\nYmFy\n"), "foobar");
  EXPECT_EQ(base64_decode("Zm8"), "fo");
  for (const char* bad : {"Z", "Zm9vY", "Zg=", "Zg===", "Z=g=", "=", "Zm9v=", "Zm 9v", "Zm9_"}) {
    EXPECT_FALSE(base64_decode(bad)) << bad;
  }
}

TEST(InstanceTypes, HasTheTwoClustersTypes) {
  const InstanceType* m4 = find_instance_type("m4.large");
  ASSERT_NE(m4, nullptr);
  EXPECT_EQ(m4->vcpus, 2);
  EXPECT_EQ(m4->memory_mib, 8192U);
  EXPECT_EQ(m4->ebs_bytes_per_second, 56'250'000U);
  const InstanceType* t2 = find_instance_type("t2.large");
  ASSERT_NE(t2, nullptr);
  EXPECT_EQ(t2->vcpus, 2);
  EXPECT_EQ(t2->memory_mib, 8192U);
  EXPECT_EQ(t2->ebs_bytes_per_second, 0U);
  EXPECT_TRUE(t2->is_burstable);
  EXPECT_EQ(t2->baseline_percent_per_vcpu, 30);
  EXPECT_EQ(find_instance_type("t2.nano")->memory_mib, 512U);
  EXPECT_EQ(find_instance_type("t2.larg"), nullptr);
  EXPECT_EQ(find_instance_type(""), nullptr);
  for (const InstanceType& type : instance_types()) {
    EXPECT_EQ(find_instance_type(type.name), &type);
  }
}

TEST(Names, AreBijections) {
  for (const auto state :
       {InstanceState::pending, InstanceState::running, InstanceState::shutting_down,
        InstanceState::terminated, InstanceState::stopping, InstanceState::stopped}) {
    EXPECT_EQ(instance_state(name_of(state)), state);
  }
  EXPECT_EQ(name_of(InstanceState::shutting_down), "shutting-down");
  EXPECT_EQ(condition_field("query-string"), ConditionField::query_string);
  EXPECT_EQ(load_balancer_state("impaired"), std::nullopt);
}

}  // namespace
}  // namespace weir::model
