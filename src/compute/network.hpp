// The VPC as Linux has it: a bridge with the gateway's address in the home namespace (root: the
// host's; rootless: the holder's own), and for every instance a network namespace with one end of a
// veth pair in it.
//
// All of it by netlink, and no instance's link is removed by itself: when its namespace goes, the
// kernel takes its veth pair with it (reference platform §1), in its own time. At the end what it
// has not come to yet is removed with the bridge, so that nothing is left once the holder is.
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "compute/compute.hpp"

namespace weir::compute {

// Makes the calling thread a visitor of another network namespace until the end of the scope.
class NamespaceVisit {
 public:
  // `home` must be the namespace of the calling thread.
  [[nodiscard]] static Result<NamespaceVisit> enter(int network_namespace, int home);
  ~NamespaceVisit();
  NamespaceVisit(NamespaceVisit&& other) noexcept : home_(std::exchange(other.home_, -1)) {}
  NamespaceVisit& operator=(NamespaceVisit&&) = delete;

 private:
  explicit NamespaceVisit(int home) : home_(home) {}
  int home_;
};

class Network {
 public:
  // The calling thread's namespace becomes the home namespace.
  [[nodiscard]] static Result<Network> open(std::string bridge);

  // Idempotent. A second VPC range replaces the addresses of the first.
  Status ensure_bridge(const VpcSpec& spec) const;
  Status set_node_addresses(const std::vector<std::string>& addresses, const VpcSpec& vpc) const;
  // With all of its ports.
  Status remove_bridge() const;
  Status bring_up_loopback() const;
  // True if an address or route overlaps `cidr`; those of the bridge do not count, nor default
  // routes and their like (shorter than /8), since the VPC's are more specific.
  [[nodiscard]] Result<bool> clashes(const std::string& cidr) const;

  // A namespace with lo, eth0 (address, MAC, routes) and the metadata service's address, connected
  // to the bridge. Its life is that of the descriptor (and of whoever else enters it).
  [[nodiscard]] Result<Fd> make_instance_namespace(const InstanceSpec& spec) const;

  // Listens on the metadata service's high port inside an instance's namespace.
  [[nodiscard]] Result<Fd> listen_for_metadata(int network_namespace) const;

  // Runs nft commands in an instance's namespace.
  Status apply_ruleset(int network_namespace, const std::string& ruleset) const;

  [[nodiscard]] const std::string& bridge() const { return bridge_; }

 private:
  Network(std::string bridge, Fd home) : bridge_(std::move(bridge)), home_(std::move(home)) {}

  std::string bridge_;
  Fd home_;  // the home namespace
};

}  // namespace weir::compute
