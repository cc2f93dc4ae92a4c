#include "compute/firewall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "compute/ipv4.hpp"

namespace weir::compute {
namespace {

enum class Direction : std::uint8_t { in, out };

// The peers as ranges in order, those that touch or overlap made one: nft refuses overlaps.
std::vector<Ipv4Range> merged_ranges(const std::vector<std::string>& peers) {
  std::vector<Ipv4Range> ranges;
  for (const std::string& peer : peers) {
    if (const auto cidr = parse_ipv4_cidr(peer)) ranges.push_back(cidr->range());
  }
  std::ranges::sort(ranges, {}, &Ipv4Range::first);
  std::vector<Ipv4Range> merged;
  for (const Ipv4Range& range : ranges) {
    if (!merged.empty() && (merged.back().last == ~0U || range.first <= merged.back().last + 1)) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

// "" for every address: a range from 0.0.0.0 to 255.255.255.255 is no set's business.
std::string match_peers(const std::vector<Ipv4Range>& ranges, Direction direction) {
  if (ranges.size() == 1 && ranges[0].first == 0 && ranges[0].last == ~0U) {
    return "meta nfproto ipv4 ";
  }
  std::string elements;
  for (const Ipv4Range& range : ranges) {
    if (!elements.empty()) elements += ", ";
    elements += format_ipv4(range.first);
    if (range.last != range.first) elements += "-" + format_ipv4(range.last);
  }
  return fmt::format("ip {} {{ {} }} ", direction == Direction::in ? "saddr" : "daddr", elements);
}

std::string match_ports(const FirewallRule& rule, std::string_view protocol) {
  if (rule.from_port <= 0 && (rule.to_port < 0 || rule.to_port == 65'535)) {
    return fmt::format("meta l4proto {} ", protocol);
  }
  const int to = std::max(rule.from_port, rule.to_port);
  if (rule.from_port == to) return fmt::format("{} dport {} ", protocol, to);
  return fmt::format("{} dport {}-{} ", protocol, std::max(0, rule.from_port), to);
}

// AWS keeps an ICMP rule's type in FromPort and its code in ToPort; -1 stands for all.
std::string match_icmp(const FirewallRule& rule) {
  if (rule.from_port < 0 || rule.from_port > 255) return "meta l4proto icmp ";
  std::string match = fmt::format("icmp type {} ", rule.from_port);
  if (rule.to_port >= 0 && rule.to_port <= 255) match += fmt::format("icmp code {} ", rule.to_port);
  return match;
}

std::string render_rule(const FirewallRule& rule, Direction direction) {
  const std::vector<Ipv4Range> ranges = merged_ranges(rule.peers);
  if (ranges.empty()) return {};
  std::string protocol;
  if (rule.protocol == "tcp" || rule.protocol == "6") {
    protocol = match_ports(rule, "tcp");
  } else if (rule.protocol == "udp" || rule.protocol == "17") {
    protocol = match_ports(rule, "udp");
  } else if (rule.protocol == "icmp" || rule.protocol == "1") {
    protocol = match_icmp(rule);
  } else if (rule.protocol != "-1") {
    return {};  // ICMPv6
  }
  return fmt::format("    {}{}ct state new accept;\n", match_peers(ranges, direction), protocol);
}

std::string render_rules(const std::vector<FirewallRule>& rules, Direction direction) {
  std::string text;
  for (const FirewallRule& rule : rules) text += render_rule(rule, direction);
  return text;
}

}  // namespace

std::string render_firewall(const Firewall& firewall) {
  return fmt::format(
      R"(add table inet weir;
flush table inet weir;
table inet weir {{
  chain metadata {{
    type nat hook output priority -100;
    ip daddr {address} tcp dport 80 dnat ip to {address}:{port};
  }}
  chain in {{
    type filter hook input priority 0; policy drop;
    iifname != "lo" ip daddr {address} drop;
    ct state established,related accept;
    iifname "lo" accept;
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept;
{ingress}  }}
  chain out {{
    type filter hook output priority 0; policy drop;
    ct state established,related accept;
    oifname "lo" accept;
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept;
{egress}  }}
}}
)",
      fmt::arg("address", metadata_address), fmt::arg("port", metadata_port),
      fmt::arg("ingress", render_rules(firewall.ingress, Direction::in)),
      fmt::arg("egress", render_rules(firewall.egress, Direction::out)));
}

std::string render_host_table(const std::string& table, const std::string& bridge,
                              const std::string& vpc_cidr) {
  return fmt::format(
      R"(add table inet {table};
flush table inet {table};
table inet {table} {{
  chain postrouting {{
    type nat hook postrouting priority 100;
    ip saddr {cidr} ip daddr != {cidr} oifname != "{bridge}" masquerade;
  }}
  chain forward {{
    type filter hook forward priority 0;
    oifname "{bridge}" iifname != "{bridge}" ct state != {{ established, related }} drop;
  }}
}}
)",
      fmt::arg("table", table), fmt::arg("bridge", bridge), fmt::arg("cidr", vpc_cidr));
}

}  // namespace weir::compute
