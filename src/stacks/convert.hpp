// From a resource's resolved properties to what control/ takes.
//
// Pure. Done twice: when the template is checked, where values that are not known yet stand as
// placeholders that pass for good ones, and for real when the resource's turn has come. So what the
// API would refuse is an error of the template, with its line, wherever it can be told beforehand.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/ec2.hpp"
#include "control/elb.hpp"
#include "model/resources.hpp"
#include "stacks/diagnostics.hpp"
#include "stacks/value.hpp"

namespace weir::stacks {

// Reads members of a map whose names and kinds the schema has checked.
class Members {
 public:
  explicit Members(const Value& map) : map_(map) {}
  [[nodiscard]] bool has(std::string_view name) const { return map_.find(name) != nullptr; }
  [[nodiscard]] const Value* find(std::string_view name) const { return map_.find(name); }
  // `fallback`: where there is none. A value not known yet gives a placeholder, one a place.
  [[nodiscard]] std::string text(std::string_view name, std::string_view fallback = "") const;
  [[nodiscard]] int integer(std::string_view name, int fallback) const;
  [[nodiscard]] bool boolean(std::string_view name, bool fallback) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  // The items of a list; empty where it is absent or unknown.
  [[nodiscard]] const std::vector<Value>& items(std::string_view name) const;
  [[nodiscard]] Mark mark() const { return map_.mark; }

 private:
  const Value& map_;
};

// Where faults are noted; with any, what a conversion returns is of no use.
struct Site {
  std::string path;  // Resources.Web.Properties
  Diagnostics& diagnostics;
};

struct SecurityGroupRuleInputs {
  std::string group_id;
  std::string group_name;         // where no id is given
  std::string source_group_name;  // the peer, where it is given by name
  bool is_ingress = true;
  model::SecurityGroupRule rule;
};

struct InstanceInputs {
  control::RunInstancesInput run;
  std::string zone;  // where no subnet is given
  std::vector<std::string> security_group_names;
};

struct TargetGroupInputs {
  control::CreateTargetGroupInput create;
  std::vector<control::TargetDescription> targets;
};

struct ListenerCertificateInputs {
  std::string listener_arn;
  std::vector<std::string> certificate_arns;
};

// Names that the template leaves out are empty.
[[nodiscard]] control::CreateSecurityGroupInput to_security_group(const Value& properties,
                                                                  const Site& site);
[[nodiscard]] SecurityGroupRuleInputs to_security_group_rule(const Value& properties,
                                                             bool is_ingress, const Site& site);
[[nodiscard]] InstanceInputs to_instance(const Value& properties, const Site& site);
[[nodiscard]] TargetGroupInputs to_target_group(const Value& properties, const Site& site);
[[nodiscard]] control::CreateLoadBalancerInput to_load_balancer(const Value& properties,
                                                                const Site& site);
[[nodiscard]] control::CreateListenerInput to_listener(const Value& properties, const Site& site);
[[nodiscard]] ListenerCertificateInputs to_listener_certificate(const Value& properties,
                                                                const Site& site);
[[nodiscard]] control::CreateRuleInput to_rule(const Value& properties, const Site& site);

[[nodiscard]] model::Tags to_tags(const Value& properties, const Site& site);

// Does the conversion for the type and forgets its result.
void check_convertible(const std::string& type, const Value& properties, const Site& site);

}  // namespace weir::stacks
