#include "model/ssl_policies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace weir::model {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

TEST(SslPolicies, KeepTheOrderOfTheirCiphers) {
  const SslPolicy* policy = find_ssl_policy("ELBSecurityPolicy-TLS13-1-2-Res-2021-06");
  ASSERT_NE(policy, nullptr);
  EXPECT_THAT(policy->protocols, ElementsAre("TLSv1.3", "TLSv1.2"));
  EXPECT_THAT(policy->ciphers,
              ElementsAre("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                          "TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
                          "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                          "ECDHE-RSA-AES256-GCM-SHA384"));
}

TEST(SslPolicies, Families) {
  EXPECT_THAT(find_ssl_policy(default_ssl_policy)->ciphers, SizeIs(18));
  EXPECT_EQ(find_ssl_policy("ELBSecurityPolicy-2016-08")->ciphers,
            find_ssl_policy("ELBSecurityPolicy-2015-05")->ciphers);
  EXPECT_THAT(find_ssl_policy("ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04")->ciphers, SizeIs(2));
  EXPECT_THAT(find_ssl_policy("ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04")->ciphers, SizeIs(20));
  // Of these the last of ECDHE are the other way round.
  const auto& forward_secret = find_ssl_policy("ELBSecurityPolicy-FS-1-2-2019-08")->ciphers;
  EXPECT_EQ(forward_secret.back(), "ECDHE-ECDSA-AES256-SHA");
  EXPECT_THAT(find_ssl_policy("ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07")->ciphers,
              SizeIs(20));
  EXPECT_TRUE(find_ssl_policy("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09")->has_post_quantum_groups);
  EXPECT_EQ(find_ssl_policy("ELBSecurityPolicy-None"), nullptr);
}

TEST(SslPolicies, EachNameAndEachCipherOnce) {
  std::set<std::string_view> names;
  for (const SslPolicy& policy : ssl_policies()) {
    EXPECT_TRUE(names.insert(policy.name).second) << policy.name;
    const std::set<std::string_view> ciphers(policy.ciphers.begin(), policy.ciphers.end());
    EXPECT_EQ(ciphers.size(), policy.ciphers.size()) << policy.name;
    EXPECT_FALSE(policy.protocols.empty()) << policy.name;
  }
  EXPECT_EQ(names.size(), 46U);
}

}  // namespace
}  // namespace weir::model
