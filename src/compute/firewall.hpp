// Security groups as a ruleset of nftables, one table `inet weir` per instance, in the instance's
// own network namespace (reference platform §4).
//
// Both directions are closed by default. The text replaces the whole table in one transaction, so a
// change is in force at once or not at all, and established connections go on.
#pragma once

#include <string>

#include "base/result.hpp"
#include "compute/compute.hpp"

namespace weir::compute {

// The address of the metadata service, as every instance sees it, and the port to which it is led:
// port 80 itself would keep the instance's own server from binding 0.0.0.0:80 (platform §3).
inline constexpr const char* metadata_address = "169.254.169.254";
inline constexpr int metadata_port = 48'169;

// Pure; `firewall` must have been validated. IPv6 peers are left out: the VPC has no IPv6.
[[nodiscard]] std::string render_firewall(const Firewall& firewall);

// The host's table in root mode: instances reach the outside behind the host's address, and nobody
// outside reaches them but through the load balancer.
[[nodiscard]] std::string render_host_table(const std::string& table, const std::string& bridge,
                                            const std::string& vpc_cidr);

// Runs commands of nft in the calling thread's network namespace; returns what they print.
// Error "FirewallFailed" with nft's own words.
Result<std::string> run_nft(const std::string& commands);
// The rules of a chain ("ip filter FORWARD") in nft's words, each with its handle.
[[nodiscard]] Result<std::string> list_nft_chain(const std::string& chain);

}  // namespace weir::compute
