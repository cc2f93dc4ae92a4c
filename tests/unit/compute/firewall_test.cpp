#include "compute/firewall.hpp"

#include <gtest/gtest.h>

namespace weir::compute {
namespace {

bool holds(const std::string& text, const std::string& line) {
  return text.find("    " + line + "\n") != std::string::npos;
}

std::string ingress(FirewallRule rule) { return render_firewall({{std::move(rule)}, {}}); }
std::string egress(FirewallRule rule) { return render_firewall({{}, {std::move(rule)}}); }

TEST(Firewall, EmptyIsClosedBothWays) {
  EXPECT_EQ(render_firewall({}), R"(add table inet weir;
flush table inet weir;
table inet weir {
  chain metadata {
    type nat hook output priority -100;
    ip daddr 169.254.169.254 tcp dport 80 dnat ip to 169.254.169.254:48169;
  }
  chain in {
    type filter hook input priority 0; policy drop;
    iifname != "lo" ip daddr 169.254.169.254 drop;
    ct state established,related accept;
    iifname "lo" accept;
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;
  }
  chain out {
    type filter hook output priority 0; policy drop;
    ct state established,related accept;
    oifname "lo" accept;
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;
  }
}
)");
}

TEST(Firewall, PortsAndPeers) {
  EXPECT_TRUE(holds(ingress({"tcp", 80, 80, {"0.0.0.0/0"}}),
                    "meta nfproto ipv4 tcp dport 80 ct state new accept;"));
  EXPECT_TRUE(holds(ingress({"udp", 1000, 2000, {"10.0.0.1"}}),
                    "ip saddr { 10.0.0.1 } udp dport 1000-2000 ct state new accept;"));
  EXPECT_TRUE(holds(egress({"tcp", 443, 443, {"10.0.0.0/8"}}),
                    "ip daddr { 10.0.0.0-10.255.255.255 } tcp dport 443 ct state new accept;"));
}

TEST(Firewall, AllPortsOfAProtocolAndAllProtocols) {
  EXPECT_TRUE(holds(ingress({"tcp", 0, 65'535, {"0.0.0.0/0"}}),
                    "meta nfproto ipv4 meta l4proto tcp ct state new accept;"));
  EXPECT_TRUE(
      holds(ingress({"-1", -1, -1, {"10.0.0.1"}}), "ip saddr { 10.0.0.1 } ct state new accept;"));
}

TEST(Firewall, IcmpTypesAndCodes) {
  EXPECT_TRUE(holds(ingress({"icmp", -1, -1, {"0.0.0.0/0"}}),
                    "meta nfproto ipv4 meta l4proto icmp ct state new accept;"));
  EXPECT_TRUE(holds(ingress({"icmp", 8, -1, {"0.0.0.0/0"}}),
                    "meta nfproto ipv4 icmp type 8 ct state new accept;"));
  EXPECT_TRUE(holds(ingress({"icmp", 3, 4, {"0.0.0.0/0"}}),
                    "meta nfproto ipv4 icmp type 3 icmp code 4 ct state new accept;"));
}

TEST(Firewall, OverlappingPeersBecomeOneRange) {
  EXPECT_TRUE(holds(ingress({"-1", -1, -1, {"10.0.0.128/25", "10.0.0.5", "10.0.0.0/25"}}),
                    "ip saddr { 10.0.0.0-10.0.0.255 } ct state new accept;"));
  EXPECT_TRUE(holds(ingress({"-1", -1, -1, {"10.0.0.9", "10.0.0.7"}}),
                    "ip saddr { 10.0.0.7, 10.0.0.9 } ct state new accept;"));
  EXPECT_TRUE(holds(ingress({"-1", -1, -1, {"255.255.255.255", "0.0.0.0/0"}}),
                    "meta nfproto ipv4 ct state new accept;"));
}

TEST(Firewall, RuleWithoutAnIpv4PeerOpensNothing) {
  EXPECT_EQ(ingress({"tcp", 80, 80, {}}), render_firewall({}));
  EXPECT_EQ(ingress({"tcp", 80, 80, {"::/0"}}), render_firewall({}));
}

}  // namespace
}  // namespace weir::compute
