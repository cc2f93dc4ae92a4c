// ELBv2's verbs on the resources: validation, limits, idempotency and errors of the API
// (reference §1–§4, §8). Used by stacks/ and, over the wire, by aws/. Each call is one transaction.
// Any thread. Errors carry AWS's code and a message that names the offending value.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/elb_limits.hpp"
#include "control/listener_security.hpp"
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
  std::string ipam_pool_id;
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
  ListenerSecurity security = {};
};

struct CreateRuleInput {
  std::string listener_arn;
  int priority = 0;
  std::vector<model::Condition> conditions;
  std::vector<model::Action> actions;
  std::vector<model::Transform> transforms;
  model::Tags tags;
};

// What is not set stays as it is.
struct ModifyTargetGroupInput {
  std::string target_group_arn;
  std::optional<bool> health_check_enabled = {};
  std::optional<std::string> health_check_protocol = {};
  std::optional<std::string> health_check_port = {};
  std::optional<std::string> health_check_path = {};
  std::optional<int> health_check_timeout_seconds = {};
  std::optional<int> health_check_interval_seconds = {};
  std::optional<int> healthy_threshold = {};
  std::optional<int> unhealthy_threshold = {};
  std::optional<std::string> http_codes = {};
};

struct ModifyListenerInput {
  std::string listener_arn;
  std::optional<std::string> protocol = {};
  std::optional<int> port = {};
  std::optional<std::vector<model::Action>> default_actions = {};
  ListenerSecurity security = {};
};

struct ModifyRuleInput {
  std::string rule_arn;
  std::optional<std::vector<model::Condition>> conditions = {};
  std::optional<std::vector<model::Action>> actions = {};
  std::optional<std::vector<model::Transform>> transforms = {};
};

struct RulePriority {
  std::string rule_arn;
  int priority = 0;
};

struct ModifyCapacityInput {
  std::string load_balancer_arn;
  std::optional<int> units = {};
  bool is_reset = false;
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
  Elb(Registry& registry, DataPlane& data_plane, const Limits& limits = raised_limits());

  // Errors of every verb are the API's of that operation (reference §8.2). Attributes: those given
  // are set, the others stay; the answer holds all that clients have set.

  // ---- elb_target_groups.cpp
  Result<model::TargetGroup> create_target_group(const CreateTargetGroupInput& input);
  Result<model::TargetGroup> modify_target_group(const ModifyTargetGroupInput& input);
  Result<model::TargetGroup> modify_target_group_attributes(const std::string& arn,
                                                            const model::Attributes& attributes);
  Status delete_target_group(const std::string& arn);

  // ---- elb_targets.cpp
  Status register_targets(const std::string& target_group_arn,
                          const std::vector<TargetDescription>& targets);
  Status deregister_targets(const std::string& target_group_arn,
                            const std::vector<TargetDescription>& targets);

  // ---- elb_load_balancers.cpp
  Result<model::LoadBalancer> create_load_balancer(const CreateLoadBalancerInput& input);
  Status delete_load_balancer(const std::string& arn);

  // ---- elb_load_balancer_changes.cpp
  Result<model::LoadBalancer> modify_load_balancer_attributes(const std::string& arn,
                                                              const model::Attributes& attributes);
  Result<model::LoadBalancer> set_security_groups(const std::string& arn,
                                                  const std::vector<std::string>& ids);
  // A subnet that stays keeps the address of its node.
  Result<model::LoadBalancer> set_subnets(const std::string& arn,
                                          const std::vector<std::string>& ids);
  Result<model::LoadBalancer> set_ip_address_type(const std::string& arn, const std::string& type);
  // An empty id takes the pool away.
  Result<model::LoadBalancer> modify_ip_pools(const std::string& arn,
                                              const std::string& ipam_pool_id);
  Result<model::LoadBalancer> modify_capacity_reservation(const ModifyCapacityInput& input);

  // ---- elb_listeners.cpp
  Result<model::Listener> create_listener(const CreateListenerInput& input);
  Result<model::Listener> modify_listener(const ModifyListenerInput& input);
  Result<model::Listener> modify_listener_attributes(const std::string& arn,
                                                     const model::Attributes& attributes);
  Status delete_listener(const std::string& arn);

  // ---- elb_listener_certificates.cpp; beside the default one. What is there already, or is not,
  // is no error.
  Status add_listener_certificates(const std::string& listener_arn,
                                   const std::vector<std::string>& certificate_arns);
  Status remove_listener_certificates(const std::string& listener_arn,
                                      const std::vector<std::string>& certificate_arns);

  // ---- elb_rules.cpp
  Result<model::Rule> create_rule(const CreateRuleInput& input);
  Result<model::Rule> modify_rule(const ModifyRuleInput& input);
  // All or none.
  Result<std::vector<model::Rule>> set_rule_priorities(const std::vector<RulePriority>& priorities);
  Status delete_rule(const std::string& arn);

  // ---- elb_tags.cpp; load balancers, listeners, rules, target groups and trust stores. All ARNs
  // or none.
  Status add_tags(const std::vector<std::string>& arns, const model::Tags& tags);
  Status remove_tags(const std::vector<std::string>& arns, const std::vector<std::string>& keys);

  // In (id, port) order. "TargetGroupNotFound".
  Result<std::vector<TargetHealth>> describe_target_health(const std::string& target_group_arn);
  // Of these targets, in this order; of all where there are none. What is not registered is
  // "unused".
  Result<std::vector<TargetHealth>> describe_target_health(
      const std::string& target_group_arn, const std::vector<TargetDescription>& targets);

  // Removes the records of targets whose deregistration delay is over. Called once a second.
  void finish_deregistrations();

  // After a start: opens the ports of all stored listeners again; the reason why one could not be
  // opened is logged and kept in its load balancer's state_reason.
  void open_stored_ports();

  [[nodiscard]] const Limits& limits() const { return limits_; }

 private:
  Registry& registry_;
  DataPlane& data_plane_;
  const Limits& limits_;
};

}  // namespace weir::control
