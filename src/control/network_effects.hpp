// Keeps compute in step with the state: security groups of running instances, the addresses of load
// balancer nodes, and what the metadata service tells.
//
// One thread, woken by commits. It derives what should be in force from the whole state, compares
// with what it has put in force, and applies the difference: so it does not matter which change
// woke it, or how many were made meanwhile. A load balancer becomes active here, once its nodes'
// addresses are there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compute/compute.hpp"
#include "compute/metadata.hpp"
#include "control/registry.hpp"

namespace weir::control {

class NetworkEffects {
 public:
  // All outlive it.
  NetworkEffects(Registry& registry, compute::Compute& compute, compute::MetadataServer& metadata);
  ~NetworkEffects();
  NetworkEffects(const NetworkEffects&) = delete;
  NetworkEffects& operator=(const NetworkEffects&) = delete;

  // The VPC's network is there: from now on changes are applied, those made before too.
  void begin();

  // A launch has put this in force; nothing is in force any more. Any thread.
  void launched(const std::string& instance_id, compute::Firewall firewall);
  void ended(const std::string& instance_id);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the subscription, which the Registry keeps for good
};

}  // namespace weir::control
