// ELBv2's verbs on the resources: validation, limits, idempotency and errors of the API
// (reference §1–§4, §8). Used by stacks/ and, over the wire, by aws/. Each call is one transaction.
// Any thread. Errors carry AWS's code and a message that names the offending value.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/registry.hpp"
#include "model/resources.hpp"

namespace weir::control {

struct CreateTargetGroupInput {
  std::string name;
  std::string target_type = "instance";
  std::string protocol = "HTTP";
  std::string protocol_version = "HTTP1";
  std::string ip_address_type = "ipv4";
  std::optional<int> port;
  std::string vpc_id;  // empty: the default VPC
  model::HealthCheck health_check;
  model::Attributes attributes;
  model::Tags tags;
};

struct TargetDescription {
  std::string id;
  std::optional<int> port;  // default: the group's
  std::string zone;
};

struct CreateLoadBalancerInput {
  std::string name;
  std::string scheme = "internet-facing";
  std::string ip_address_type = "ipv4";
  std::vector<std::string> subnet_ids;
  std::vector<std::string> security_group_ids;
  model::Attributes attributes;
  model::Tags tags;
};

struct CreateListenerInput {
  std::string load_balancer_arn;
  std::string protocol = "HTTP";
  std::optional<int> port;
  std::vector<model::Action> default_actions;
  model::Attributes attributes;
  model::Tags tags;
};

struct CreateRuleInput {
  std::string listener_arn;
  int priority = 0;
  std::vector<model::Condition> conditions;
  std::vector<model::Action> actions;
  std::vector<model::Transform> transforms;
  model::Tags tags;
};

// One target's health as DescribeTargetHealth reports it (reference §4.7).
struct TargetHealth {
  std::string target_id;
  std::uint16_t port = 0;
  std::string zone;
  std::string state;        // initial, healthy, unhealthy, unused, draining
  std::string reason;       // Target.Timeout, …; empty when healthy
  std::string description;  // as the API words it
};

// What the control plane needs to know of the running data plane. Implemented by daemon/.
class DataPlane {
 public:
  virtual ~DataPlane() = default;
  // The state and reason of a registered target that is in use, from the health checker.
  // Empty state: not checked yet.
  [[nodiscard]] virtual TargetHealth health(const TargetKey& key) const = 0;
  // Opens `port` on this machine for listeners, or `port` + 8000 where it may not or cannot be
  // bound; returns the port that listens. Idempotent while the listener lives.
  // Errors: "PortInUse" naming both ports.
  // Called under the Registry's lock: must not call the Registry.
  [[nodiscard]] virtual Result<std::uint16_t> open_port(std::uint16_t port) = 0;
};

class Elb {
 public:
  // Both outlive the Elb.
  Elb(Registry& registry, DataPlane& data_plane);

  Result<model::TargetGroup> create_target_group(const CreateTargetGroupInput& input);
  Status delete_target_group(const std::string& arn);
  Status register_targets(const std::string& target_group_arn,
                          const std::vector<TargetDescription>& targets);
  Status deregister_targets(const std::string& target_group_arn,
                            const std::vector<TargetDescription>& targets);

  Result<model::LoadBalancer> create_load_balancer(const CreateLoadBalancerInput& input);
  Status delete_load_balancer(const std::string& arn);

  Result<model::Listener> create_listener(const CreateListenerInput& input);
  Status delete_listener(const std::string& arn);

  Result<model::Rule> create_rule(const CreateRuleInput& input);
  Status delete_rule(const std::string& arn);

  // In (id, port) order. "TargetGroupNotFound".
  Result<std::vector<TargetHealth>> describe_target_health(const std::string& target_group_arn);

  // Removes the records of targets whose deregistration delay is over. Called once a second.
  void finish_deregistrations();

  // After a start: opens the ports of all stored listeners again; the reason why one could not be
  // opened is logged and kept in its load balancer's state_reason.
  void open_stored_ports();

 private:
  Registry& registry_;
  DataPlane& data_plane_;
};

}  // namespace weir::control
