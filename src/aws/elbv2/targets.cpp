// Targets and their health: reference §4.7, §4.8, §8.5.
#include <fmt/format.h>

#include "aws/elbv2/handlers.hpp"
#include "control/elb_checks.hpp"

namespace weir::aws::elbv2 {
namespace {

Result<std::vector<control::TargetDescription>> targets_of(const Value& input) {
  std::vector<control::TargetDescription> out;
  for (const Value& target : input.list("Targets")) {
    if (target.has("QuicServerId")) {
      return not_supported(
          "'QuicServerId' is for target groups of load balancers with type "
          "'network'");
    }
    out.push_back({target.text("Id"), int_of(target, "Port"), target.text("AvailabilityZone")});
  }
  return out;
}

Value health_value(const control::TargetHealth& health, const model::TargetGroup& group) {
  Value target{{"Id", health.target_id}, {"Port", static_cast<int>(health.port)}};
  if (group.target_type == "ip") target.set_text("AvailabilityZone", health.zone);
  Value state{{"State", health.state}};
  state.set_text("Reason", health.reason);
  state.set_text("Description", health.description);
  const std::string& port = group.health_check.port;
  Value out;
  out.set("Target", std::move(target));
  out.set("HealthCheckPort", port == "traffic-port" ? std::to_string(health.port) : port);
  out.set("TargetHealth", std::move(state));
  return out;
}

Result<Value> describe_health(const Elbv2Parts& parts, const Value& input) {
  const std::string arn = input.text("TargetGroupArn");
  const auto asked = targets_of(input);
  if (!asked) return std::unexpected(asked.error());
  const auto healths = parts.elb.describe_target_health(arn, *asked);
  if (!healths) return std::unexpected(healths.error());
  model::TargetGroup group;
  parts.registry.read([&](const control::State& state) {
    if (const auto found = control::find_target_group(state, arn)) group = **found;
  });
  Value::List items;
  items.reserve(healths->size());
  for (const control::TargetHealth& health : *healths) {
    items.push_back(health_value(health, group));
  }
  Value out;
  out.set("TargetHealthDescriptions", Value(std::move(items)));
  return out;
}

using Verb = Status (control::Elb::*)(const std::string&,
                                      const std::vector<control::TargetDescription>&);

template <Verb verb>
Result<Value> change(const Elbv2Parts& parts, const Value& input) {
  const auto targets = targets_of(input);
  if (!targets) return std::unexpected(targets.error());
  auto done = (parts.elb.*verb)(input.text("TargetGroupArn"), *targets);
  if (!done) return std::unexpected(done.error());
  return Value();
}

}  // namespace

void add_targets(Handlers& handlers, const Elbv2Parts& parts) {
  handlers["RegisterTargets"] = changing(parts, change<&control::Elb::register_targets>);
  handlers["DeregisterTargets"] = changing(parts, change<&control::Elb::deregister_targets>);
  handlers["DescribeTargetHealth"] = [parts](const Caller&, const Value& input) -> Result<Value> {
    if (auto valid = check_arns(input); !valid) return std::unexpected(valid.error());
    return describe_health(parts, input);
  };
}

}  // namespace weir::aws::elbv2
