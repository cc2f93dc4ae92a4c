// Sealed texts open with their key, purpose and scope alone, and travel as cookies.
#include "auth/sealed_text.hpp"

#include <gtest/gtest.h>

namespace weir::auth {
namespace {

SealingKey key(std::uint32_t id) {
  SealingKey out{id, {}};
  out.key.fill(static_cast<unsigned char>(id));
  return out;
}

const std::vector<SealingKey> keys = {key(2), key(1)};
constexpr Seal session{"session", "rule-a"};

http::RequestHead with_cookies(const std::vector<std::string>& fields) {
  http::RequestHead head;
  for (const std::string& field : fields)
    head.headers.push_back({"Cookie", field, http::HeaderId::cookie});
  return head;
}

TEST(SealedText, OpensAsWhatItWasSealedForAlone) {
  const std::string sealed = seal("secret", session, keys);
  EXPECT_EQ(sealed.find("secret"), std::string::npos);
  EXPECT_EQ(open(sealed, session, keys), "secret");
  EXPECT_FALSE(open(sealed, {"state", "rule-a"}, keys));
  EXPECT_FALSE(open(sealed, {"session", "rule-b"}, keys));
  EXPECT_FALSE(open(sealed, {"sessio", "nrule-a"}, keys));
  EXPECT_NE(seal("secret", session, keys), sealed);
  EXPECT_EQ(open(seal("", session, keys), session, keys), "");
}

TEST(SealedText, AKeyThatWasReplacedStillOpensAndOneThatIsGoneDoesNot) {
  const std::vector<SealingKey> before = {key(1)};
  const std::string sealed = seal("text", session, before);
  EXPECT_EQ(open(sealed, session, keys), "text");
  EXPECT_FALSE(open(sealed, session, std::vector{key(2)}));
  SealingKey forged = key(1);
  forged.key[0] ^= 1;
  EXPECT_FALSE(open(sealed, session, std::vector{forged}));
}

TEST(SealedText, NoByteCanBeChangedOrLeftOut) {
  const std::string sealed = seal("a text of some length", session, keys);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(open(changed, session, keys)) << i;
    EXPECT_FALSE(open(sealed.substr(0, i), session, keys)) << i;
  }
  EXPECT_FALSE(open(sealed + "A", session, keys));
  EXPECT_FALSE(open(std::string(100'000, 'A'), session, keys));
}

TEST(SealedText, TravelsInShardsWhateverTheirOrder) {
  const std::string value(10'000, 'v');
  const auto shards = shards_of(value, "Session");
  ASSERT_TRUE(shards);
  ASSERT_EQ(shards->size(), 3U);
  for (const std::string& shard : *shards)
    EXPECT_LE(std::string("Session-0=").size() + shard.size(), shard_bytes_max);
  EXPECT_EQ(value_of_shards(with_cookies({"a=b; Session-2=" + (*shards)[2],
                                          "Session-0=" + (*shards)[0] + "; Session-0=other",
                                          "Session-1=" + (*shards)[1] + "; Session-9=x"}),
                            "Session"),
            value);
  EXPECT_EQ(value_of_shards(with_cookies({"Session-1=x"}), "Session"), "");
  EXPECT_EQ(value_of_shards(with_cookies({"Session-0=x; Session-2=y"}), "Session"), "x");
  EXPECT_EQ(value_of_shards(with_cookies({"Session=x; Session-=y; Session-10=z; xSession-0=w"}),
                            "Session"),
            "");
}

TEST(SealedText, WhatDoesNotFitIsNotCut) {
  EXPECT_EQ(shards_of(std::string(4 * (4096 - 4), 'v'), "S")->size(), 4U);
  EXPECT_FALSE(shards_of(std::string(4 * (4096 - 4) + 1, 'v'), "S"));
  EXPECT_FALSE(shards_of("", "S"));
  EXPECT_FALSE(shards_of("v", std::string(5000, 'n')));
}

}  // namespace
}  // namespace weir::auth
