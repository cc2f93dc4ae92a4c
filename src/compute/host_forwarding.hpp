// Root mode: making this machine carry the instances' traffic to the outside, and to each other.
//
// Hosts with Docker or a firewall of their own often drop what they would forward, and br_netfilter
// subjects even frames between two instances to it (reference platform §4). An accept in a table of
// ours cannot undo another table's drop, so the exception is written into that chain, marked by a
// comment that names the bridge, and taken out again when the holder is released.
#pragma once

#include <string>

#include "base/result.hpp"

namespace weir::compute {

// Switches IPv4 forwarding on where it is off; it stays on, since others may rely on it by then.
void enable_forwarding();

// Lets the bridge's traffic pass the chain FORWARD of iptables (nft) where its policy is drop.
// Idempotent; without such a chain there is nothing to do. In the calling thread's network
// namespace.
Status accept_forwarding(const std::string& bridge);
Status withdraw_forwarding(const std::string& bridge);

}  // namespace weir::compute
