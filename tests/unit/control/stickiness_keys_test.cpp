// The keys of stickiness cookies over the weeks, as the cookies that they seal see it: from the
// registry by a snapshot to what opens a cookie.
#include "control/stickiness_keys.hpp"

#include <gtest/gtest.h>

#include <string>

#include "balancing/session.hpp"
#include "fakes.hpp"
#include "routing/snapshot.hpp"

namespace weir::control {
namespace {

using balancing::SessionKind;

class StickinessKeys : public testing::Test {
 protected:
  // The control plane looks after its keys at this time, and workers get what it has then.
  void rotate(std::int64_t now_ms) {
    ASSERT_TRUE(rotate_stickiness_keys(*registry_, now_ms));
    const State state = copy_of(*registry_);
    const auto snapshot =
        routing::compile({state.load_balancers, state.listeners, state.rules, state.target_groups,
                          state.targets, state.instances, "10.0.0.0/16", &state.stickiness_keys},
                         nullptr, ++revision_);
    sealer_.use(snapshot->stickiness_keys);
  }
  std::string cookie() {
    return std::string(sealer_.seal(SessionKind::target, 1, {.subject = 7, .bound_at = 1}));
  }
  bool opens(const std::string& cookie) {
    const auto session = sealer_.open(SessionKind::target, 1, cookie);
    return session && session->subject == 7;
  }
  std::size_t keys() { return copy_of(*registry_).stickiness_keys.size(); }

  std::shared_ptr<Disk> disk_ = std::make_shared<Disk>();
  std::unique_ptr<Registry> registry_ = open_registry(disk_);
  balancing::SessionSealer sealer_;
  std::uint64_t revision_ = 0;
};

constexpr std::int64_t start_ms = 1'700'000'000'000;
constexpr std::int64_t age_ms = stickiness_key_age_ms_max;

TEST_F(StickinessKeys, AKeySealsForItsTimeAndOpensForAsLongAgain) {
  rotate(start_ms);
  const std::string first = cookie();
  rotate(start_ms + age_ms - 1);
  EXPECT_EQ(keys(), 1U);
  const std::string last_of_first_key = cookie();
  rotate(start_ms + age_ms);
  EXPECT_EQ(keys(), 2U);
  const std::string second = cookie();
  EXPECT_TRUE(opens(first) && opens(last_of_first_key) && opens(second));
  rotate(start_ms + 2 * age_ms - 1);
  EXPECT_TRUE(opens(last_of_first_key));
  rotate(start_ms + 2 * age_ms);
  EXPECT_EQ(keys(), 2U);
  EXPECT_FALSE(opens(first));
  EXPECT_FALSE(opens(last_of_first_key));
  EXPECT_TRUE(opens(second));
  EXPECT_TRUE(opens(cookie()));
}

TEST_F(StickinessKeys, TheyOutliveTheDaemon) {
  rotate(start_ms);
  const std::string before = cookie();
  registry_.reset();
  registry_ = open_registry(disk_);
  rotate(start_ms + 1);
  EXPECT_EQ(keys(), 1U);
  EXPECT_TRUE(opens(before));
}

TEST_F(StickinessKeys, AKeyThatCannotBeKeptIsNotUsed) {
  rotate(start_ms);
  const std::string before = cookie();
  disk_->commits_until_full = 0;
  EXPECT_FALSE(rotate_stickiness_keys(*registry_, start_ms + age_ms));
  EXPECT_EQ(keys(), 1U);
  EXPECT_TRUE(opens(before));
}

}  // namespace
}  // namespace weir::control
