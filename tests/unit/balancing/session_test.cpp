#include "balancing/session.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weir::balancing {
namespace {

routing::StickinessKey key(std::uint32_t id, unsigned char fill) {
  routing::StickinessKey out{id, {}};
  out.key.fill(fill);
  return out;
}

TEST(SessionSealer, OpensWhatItSealedAndNothingElse) {
  SessionSealer sealer;
  EXPECT_EQ(sealer.seal(SessionKind::target, 7, {1, 2, 3}), "");
  sealer.use({key(9, 1)});
  const std::string value(sealer.seal(SessionKind::target, 7, {11, 22, 33}));
  EXPECT_EQ(value.size(), SessionSealer::value_chars);
  const auto session = sealer.open(SessionKind::target, 7, value);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->subject, 11U);
  EXPECT_EQ(session->bound_at, 22);
  EXPECT_EQ(session->expires_at, 33);
  EXPECT_FALSE(sealer.open(SessionKind::target, 8, value)) << "another group's";
  EXPECT_FALSE(sealer.open(SessionKind::app_target, 7, value)) << "another kind's";
  EXPECT_FALSE(sealer.open(SessionKind::target, 7, {}));
  EXPECT_FALSE(sealer.open(SessionKind::target, 7, value.substr(1)));
  EXPECT_FALSE(sealer.open(SessionKind::target, 7, std::string(128, '%')));
  EXPECT_FALSE(sealer.open(SessionKind::target, 7, std::string(128, '=')));
}

TEST(SessionSealer, AValueWithAnyBitChangedIsForged) {
  SessionSealer sealer;
  sealer.use({key(9, 1)});
  const std::string value(sealer.seal(SessionKind::target, 7, {11, 22, 33}));
  for (std::size_t i = 0; i < value.size(); ++i) {
    std::string other = value;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(sealer.open(SessionKind::target, 7, other)) << i;
    other[i] = '=';  // which some decoders of base64 take for 'A'
    EXPECT_FALSE(sealer.open(SessionKind::target, 7, other)) << i;
  }
}

TEST(SessionSealer, ARotatedKeyOpensUntilItIsForgotten) {
  SessionSealer sealer;
  sealer.use({key(1, 1)});
  const std::string old(sealer.seal(SessionKind::group, 0, {5, 6, 7}));
  sealer.use({key(2, 2), key(1, 1)});
  EXPECT_TRUE(sealer.open(SessionKind::group, 0, old));
  const std::string renewed(sealer.seal(SessionKind::group, 0, {5, 6, 7}));
  sealer.use({key(3, 3), key(2, 2)});
  EXPECT_FALSE(sealer.open(SessionKind::group, 0, old));
  EXPECT_TRUE(sealer.open(SessionKind::group, 0, renewed));
  sealer.use({key(2, 9)});
  EXPECT_FALSE(sealer.open(SessionKind::group, 0, renewed)) << "the same id, another key";
}

TEST(SessionSealer, NoTwoValuesAreTheSame) {
  SessionSealer one;
  SessionSealer other;
  one.use({key(1, 1)});
  other.use({key(1, 1)});
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(seen.emplace(one.seal(SessionKind::target, 7, {1, 2, 3})).second);
    EXPECT_TRUE(seen.emplace(other.seal(SessionKind::target, 7, {1, 2, 3})).second);
  }
}

}  // namespace
}  // namespace weir::balancing
