// Target groups: reference §4.1, §4.2, §8.2.
#include <fmt/format.h>

#include <set>

#include "aws/elbv2/handlers.hpp"
#include "control/elb_checks.hpp"
#include "control/references.hpp"

namespace weir::aws::elbv2 {
namespace {

// ---------------------------------------------------------------- input
// What target groups of network and gateway load balancers have.
Status refuse_other_kinds(const Value& input) {
  const std::string type = input.text("TargetType", "instance");
  const std::string protocol = input.text("Protocol");
  if (type == "alb") {
    return not_supported("The target type 'alb' is for load balancers with type 'network'");
  }
  if (!protocol.empty() && protocol != "HTTP" && protocol != "HTTPS") {
    return not_supported(
        fmt::format("The protocol '{}' is not supported for target groups of load balancers with "
                    "type 'application'; it must be one of 'HTTP, HTTPS'",
                    protocol));
  }
  const std::string check = input.text("HealthCheckProtocol", "HTTP");
  if (check != "HTTP" && check != "HTTPS") {
    return refuse(fmt::format(
        "Health check protocol '{}' is not supported for target groups with protocol {}", check,
        protocol.empty() ? "HTTP" : protocol));
  }
  if (input.has("TargetControlPort")) {
    return not_supported("'TargetControlPort' is not supported by this version of Weir");
  }
  const Value* matcher = input.find("Matcher");
  if (matcher != nullptr && matcher->has("GrpcCode")) {
    return not_supported("gRPC codes are for target groups with the protocol version GRPC");
  }
  if (type == "lambda") return {};  // refused as a whole by the verb
  if (input.has("Name")) {
    if (protocol.empty()) return refuse("A protocol must be specified");
    if (!input.has("Port")) return refuse("A port must be specified");
    if (!input.has("VpcId")) return refuse("A VPC ID must be specified");
  }
  return {};
}

std::optional<std::string> http_codes_of(const Value& input) {
  const Value* matcher = input.find("Matcher");
  return matcher == nullptr ? std::nullopt : matcher->optional_text("HttpCode");
}

model::HealthCheck health_check_of(const Value& input) {
  model::HealthCheck out;
  out.enabled = input.flag("HealthCheckEnabled").value_or(out.enabled);
  out.protocol = input.text("HealthCheckProtocol", out.protocol);
  out.port = input.text("HealthCheckPort", out.port);
  out.path = input.text("HealthCheckPath", out.path);
  out.timeout_seconds = int_of(input, "HealthCheckTimeoutSeconds").value_or(out.timeout_seconds);
  out.interval_seconds = int_of(input, "HealthCheckIntervalSeconds").value_or(out.interval_seconds);
  out.healthy_threshold = int_of(input, "HealthyThresholdCount").value_or(out.healthy_threshold);
  out.unhealthy_threshold =
      int_of(input, "UnhealthyThresholdCount").value_or(out.unhealthy_threshold);
  out.http_codes = http_codes_of(input).value_or(out.http_codes);
  return out;
}

// ---------------------------------------------------------------- output
Value group_value(const control::State& state, const model::TargetGroup& source) {
  const model::HealthCheck& check = source.health_check;
  Value out{{"TargetGroupArn", source.arn},
            {"TargetGroupName", source.name},
            {"Protocol", source.protocol},
            {"Port", static_cast<int>(source.port)},
            {"VpcId", source.vpc_id},
            {"HealthCheckProtocol", check.protocol},
            {"HealthCheckPort", check.port},
            {"HealthCheckEnabled", check.enabled},
            {"HealthCheckIntervalSeconds", check.interval_seconds},
            {"HealthCheckTimeoutSeconds", check.timeout_seconds},
            {"HealthyThresholdCount", check.healthy_threshold},
            {"UnhealthyThresholdCount", check.unhealthy_threshold},
            {"HealthCheckPath", check.path}};
  out.set("Matcher", Value{{"HttpCode", check.http_codes}});
  out.set("LoadBalancerArns", Value::list_of(control::load_balancers_of(state, source.arn)));
  out.set("TargetType", source.target_type);
  out.set("ProtocolVersion", source.protocol_version);
  out.set("IpAddressType", source.ip_address_type);
  return out;
}

// As it is now: what a verb gave may be older than the state.
Value group_output(const Elbv2Parts& parts, const model::TargetGroup& group) {
  Value out;
  parts.registry.read([&](const control::State& state) {
    out = list_of_one("TargetGroups", group_value(state, group));
  });
  return out;
}

Value attributes_output(const model::TargetGroup& source) {
  Value out;
  out.set("Attributes",
          attribute_list(source.attributes, model::target_group_attributes(), "lambda."));
  return out;
}

// ---------------------------------------------------------------- operations
Result<Value> create(const Elbv2Parts& parts, const Value& input) {
  if (auto valid = refuse_other_kinds(input); !valid) return std::unexpected(valid.error());
  auto tags = tags_of(input);
  if (!tags) return std::unexpected(tags.error());
  control::CreateTargetGroupInput wanted;
  wanted.name = input.text("Name");
  wanted.target_type = input.text("TargetType", wanted.target_type);
  wanted.protocol = input.text("Protocol", wanted.protocol);
  wanted.protocol_version = input.text("ProtocolVersion", wanted.protocol_version);
  wanted.ip_address_type = input.text("IpAddressType", wanted.ip_address_type);
  wanted.port = int_of(input, "Port");
  wanted.vpc_id = input.text("VpcId");
  wanted.health_check = health_check_of(input);
  wanted.tags = std::move(*tags);
  const auto made = parts.elb.create_target_group(wanted);
  if (!made) return std::unexpected(made.error());
  return group_output(parts, *made);
}

Result<Value> modify(const Elbv2Parts& parts, const Value& input) {
  if (auto valid = refuse_other_kinds(input); !valid) return std::unexpected(valid.error());
  control::ModifyTargetGroupInput wanted;
  wanted.target_group_arn = input.text("TargetGroupArn");
  wanted.health_check_enabled = input.flag("HealthCheckEnabled");
  wanted.health_check_protocol = input.optional_text("HealthCheckProtocol");
  wanted.health_check_port = input.optional_text("HealthCheckPort");
  wanted.health_check_path = input.optional_text("HealthCheckPath");
  wanted.health_check_timeout_seconds = int_of(input, "HealthCheckTimeoutSeconds");
  wanted.health_check_interval_seconds = int_of(input, "HealthCheckIntervalSeconds");
  wanted.healthy_threshold = int_of(input, "HealthyThresholdCount");
  wanted.unhealthy_threshold = int_of(input, "UnhealthyThresholdCount");
  wanted.http_codes = http_codes_of(input);
  const auto changed = parts.elb.modify_target_group(wanted);
  if (!changed) return std::unexpected(changed.error());
  return group_output(parts, *changed);
}

Result<Value> describe_of(const control::State& state, const std::string& load_balancer_arn,
                          const Page& page) {
  if (auto found = control::find_load_balancer(state, load_balancer_arn); !found) {
    return std::unexpected(found.error());
  }
  std::set<std::string> groups;
  for (const auto& [port, listener] : state.index.listeners_of(load_balancer_arn)) {
    for (const auto& [group, count] : state.index.groups_of(listener)) groups.insert(group);
  }
  Value out;
  write_page(
      groups.upper_bound(page.after), groups.end(), page, out, "TargetGroups",
      [](const std::string& arn) { return arn; },
      [&](const std::string& arn) { return group_value(state, state.target_groups.at(arn)); });
  return out;
}

Result<Value> describe_named(const control::State& state, const std::vector<std::string>& arns,
                             const std::vector<std::string>& names) {
  Value::List items;
  std::vector<std::string> all = arns;
  for (const std::string& name : names) {
    const std::string* arn = state.index.target_group_named(name);
    all.push_back(arn == nullptr ? std::string() : *arn);
  }
  for (const std::string& arn : all) {
    const auto found = state.target_groups.find(arn);
    if (found == state.target_groups.end()) {
      return fail("TargetGroupNotFound", "One or more target groups not found");
    }
    items.push_back(group_value(state, found->second));
  }
  Value out;
  out.set("TargetGroups", Value(std::move(items)));
  return out;
}

Result<Value> describe(const control::State& state, const Value& input) {
  const auto arns = input.texts("TargetGroupArns");
  const auto names = input.texts("Names");
  const auto load_balancer = input.optional_text("LoadBalancerArn");
  if (static_cast<int>(!arns.empty()) + static_cast<int>(!names.empty()) +
          static_cast<int>(load_balancer.has_value()) >
      1) {
    return refuse(
        "Target group ARNs, target group names and a load balancer ARN cannot be specified "
        "together");
  }
  const auto page = page_of(input, !arns.empty() || !names.empty());
  if (!page) return std::unexpected(page.error());
  if (load_balancer) return describe_of(state, *load_balancer, *page);
  if (!arns.empty() || !names.empty()) return describe_named(state, arns, names);
  Value out;
  write_records(state.target_groups, *page, out, "TargetGroups",
                [&](const model::TargetGroup& group) { return group_value(state, group); });
  return out;
}

}  // namespace

void add_target_groups(Handlers& handlers, const Elbv2Parts& parts) {
  handlers["CreateTargetGroup"] = changing(parts, create);
  handlers["ModifyTargetGroup"] = changing(parts, modify);
  handlers["DescribeTargetGroups"] = reading(parts, describe);
  handlers["DeleteTargetGroup"] =
      changing(parts, [](const Elbv2Parts& with, const Value& input) -> Result<Value> {
        auto done = with.elb.delete_target_group(input.text("TargetGroupArn"));
        if (!done) return std::unexpected(done.error());
        return Value();
      });
  handlers["DescribeTargetGroupAttributes"] =
      reading(parts, [](const control::State& state, const Value& input) -> Result<Value> {
        const auto found = control::find_target_group(state, input.text("TargetGroupArn"));
        if (!found) return std::unexpected(found.error());
        return attributes_output(**found);
      });
  handlers["ModifyTargetGroupAttributes"] =
      changing(parts, [](const Elbv2Parts& with, const Value& input) -> Result<Value> {
        const auto wanted = attributes_of(input);
        if (!wanted) return std::unexpected(wanted.error());
        const auto changed =
            with.elb.modify_target_group_attributes(input.text("TargetGroupArn"), *wanted);
        if (!changed) return std::unexpected(changed.error());
        return attributes_output(*changed);
      });
}

}  // namespace weir::aws::elbv2
