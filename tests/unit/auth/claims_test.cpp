#include "auth/claims.hpp"

#include <gtest/gtest.h>

#include "auth/json_object.hpp"

namespace weir::auth {
namespace {

using Format = model::JwtClaim::Format;

constexpr std::int64_t now = 1'800'000'000;

std::string fault(const std::string& claims, std::vector<model::JwtClaim> more = {}) {
  const model::JwtValidationAction action{"https://idp.example/keys", "https://idp.example",
                                          std::move(more)};
  return std::string(fault_of_claims(*parse_object(claims), action, now));
}

// With an issuer and an expiry that hold.
std::string with(const std::string& claim) {
  return R"({"iss":"https://idp.example","exp":1800000600,)" + claim + "}";
}

TEST(Claims, IssuerAndExpiryAreMandatory) {
  EXPECT_EQ(fault(R"({"iss":"https://idp.example","exp":1800000600})"), "");
  EXPECT_EQ(fault(R"({"iss":"https://idp.example","exp":1800000600.5})"), "");
  EXPECT_EQ(fault(R"({"exp":1800000600})"), "JWTClaimNotPresent");
  EXPECT_EQ(fault(R"({"iss":"https://idp.example"})"), "JWTClaimNotPresent");
  EXPECT_EQ(fault(R"({"iss":"https://idp.example/","exp":1800000600})"), "JWTClaimValueInvalid");
  EXPECT_EQ(fault(R"({"iss":["https://idp.example"],"exp":1800000600})"), "JWTClaimFormatInvalid");
  EXPECT_EQ(fault(R"({"iss":"https://idp.example","exp":"1800000600"})"), "JWTClaimFormatInvalid");
}

TEST(Claims, TimesHoldWithinTheSkewOfClocks) {
  const auto expiring = [](std::int64_t at) {
    return fault(R"({"iss":"https://idp.example","exp":)" + std::to_string(at) + "}");
  };
  EXPECT_EQ(expiring(now - 59), "");
  EXPECT_EQ(expiring(now - 60), "JWTClaimValueInvalid");
  for (const std::string name : {"nbf", "iat"}) {
    EXPECT_EQ(fault(with("\"" + name + "\":" + std::to_string(now + 60))), "");
    EXPECT_EQ(fault(with("\"" + name + "\":" + std::to_string(now + 61))), "JWTClaimValueInvalid");
    EXPECT_EQ(fault(with("\"" + name + "\":null")), "JWTClaimFormatInvalid");
  }
  EXPECT_EQ(expiring(-9'000'000'000'000'000'000), "JWTClaimValueInvalid");
}

TEST(Claims, AdditionalOnesHaveAFormat) {
  const model::JwtClaim single{"aud", Format::single_string, {"web", "api"}};
  EXPECT_EQ(fault(with(R"("aud":"api")"), {single}), "");
  EXPECT_EQ(fault(with(R"("aud":"ap")"), {single}), "JWTClaimValueInvalid");
  EXPECT_EQ(fault(with(R"("aud":["api"])"), {single}), "JWTClaimFormatInvalid");
  EXPECT_EQ(fault(with(R"("sub":"api")"), {single}), "JWTClaimNotPresent");
  const model::JwtClaim list{"groups", Format::string_array, {"ops"}};
  EXPECT_EQ(fault(with(R"("groups":["dev","ops"])"), {list}), "");
  EXPECT_EQ(fault(with(R"("groups":[])"), {list}), "JWTClaimValueInvalid");
  EXPECT_EQ(fault(with(R"("groups":["ops",1])"), {list}), "JWTClaimFormatInvalid");
  EXPECT_EQ(fault(with(R"("groups":"ops")"), {list}), "JWTClaimFormatInvalid");
  const model::JwtClaim words{"scope", Format::space_separated_values, {"read", "write"}};
  EXPECT_EQ(fault(with(R"("scope":"openid write")"), {words}), "");
  EXPECT_EQ(fault(with(R"("scope":"openid writes  x")"), {words}), "JWTClaimValueInvalid");
  EXPECT_EQ(fault(with(R"("scope":"")"), {words}), "JWTClaimValueInvalid");
  EXPECT_EQ(fault(with(R"("scope":"read","aud":"x")"), {words, single}), "JWTClaimValueInvalid");
}

}  // namespace
}  // namespace weir::auth
