// What root mode changes on the machine itself, tried in a network namespace of its own.
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <thread>

#include "compute/firewall.hpp"
#include "compute/host_forwarding.hpp"

namespace weir::compute::test {
namespace {

// Runs the test's body on a thread that has an empty network.
template <typename Body>
void in_new_network(Body body) {
  std::thread([&] {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    body();
  }).join();
}

const std::string docker_like =
    "table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; "
    "iifname \"docker0\" accept; }; }";

class HostTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root changes the machine";
  }
};

TEST_F(HostTest, ExceptionIsMadeOnceAndTakenBack) {
  in_new_network([] {
    ASSERT_TRUE(run_nft(docker_like));
    const std::string before = *list_nft_chain("ip filter FORWARD");
    ASSERT_TRUE(accept_forwarding("weirtest0"));
    const std::string after = *list_nft_chain("ip filter FORWARD");
    EXPECT_NE(after.find("iifname \"weirtest0\" accept"), std::string::npos) << after;
    EXPECT_NE(after.find("oifname \"weirtest0\" accept"), std::string::npos) << after;
    ASSERT_TRUE(accept_forwarding("weirtest0"));
    EXPECT_EQ(*list_nft_chain("ip filter FORWARD"), after);
    ASSERT_TRUE(withdraw_forwarding("weirtest0"));
    EXPECT_EQ(*list_nft_chain("ip filter FORWARD"), before);
  });
}

TEST_F(HostTest, MachineThatForwardsIsLeftAlone) {
  in_new_network([] {
    ASSERT_TRUE(accept_forwarding("weirtest0"));
    EXPECT_EQ(*run_nft("list ruleset"), "");
    ASSERT_TRUE(withdraw_forwarding("weirtest0"));
    ASSERT_TRUE(
        run_nft("table ip filter { chain FORWARD { type filter hook forward priority 0; }; }"));
    ASSERT_TRUE(accept_forwarding("weirtest0"));
    EXPECT_EQ(list_nft_chain("ip filter FORWARD")->find("weirtest0"), std::string::npos);
  });
}

TEST_F(HostTest, HostTableLoadsTwice) {
  in_new_network([] {
    const std::string table = render_host_table("weirtest0", "weirtest0", "10.1.0.0/16");
    ASSERT_TRUE(run_nft(table));
    const std::string once = *run_nft("list ruleset");
    EXPECT_NE(once.find("masquerade"), std::string::npos);
    ASSERT_TRUE(run_nft(table));
    EXPECT_EQ(*run_nft("list ruleset"), once);
  });
}

}  // namespace
}  // namespace weir::compute::test
