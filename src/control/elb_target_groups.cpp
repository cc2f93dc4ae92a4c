// Target groups: reference §4.1.
#include <fmt/format.h>

#include "control/addresses.hpp"
#include "control/arn.hpp"
#include "control/elb.hpp"
#include "control/elb_checks.hpp"
#include "control/references.hpp"
#include "model/attributes.hpp"
#include "model/codec.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

std::unexpected<Error> not_in_enum(std::string_view value, std::string_view where,
                                   std::string_view allowed) {
  return fail("ValidationError",
              fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy "
                          "constraint: Member must satisfy enum value set: [{}]",
                          value, where, allowed));
}

// The kinds that exist at AWS but not here are told apart from those that do not exist.
Status validate_kind(const CreateTargetGroupInput& input) {
  if (input.target_type == "lambda" || input.target_type == "alb") {
    return fail("InvalidConfigurationRequest",
                fmt::format("The target type '{}' is not supported by this version of Weir",
                            input.target_type),
                "Use 'instance' or 'ip'.");
  }
  if (input.target_type != "instance" && input.target_type != "ip") {
    return not_in_enum(input.target_type, "targetType", "instance, ip, lambda, alb");
  }
  if (input.protocol == "HTTPS") {
    return fail("UnsupportedProtocol", "HTTPS to targets comes with Weir's TLS support",
                "Use the protocol HTTP.");
  }
  if (input.protocol != "HTTP") return not_in_enum(input.protocol, "protocol", "HTTP, HTTPS");
  if (input.protocol_version == "HTTP2" || input.protocol_version == "GRPC") {
    return fail("UnsupportedProtocol",
                fmt::format("The protocol version '{}' is not supported by this version of Weir",
                            input.protocol_version),
                "Use 'HTTP1'.");
  }
  if (input.protocol_version != "HTTP1") {
    return not_in_enum(input.protocol_version, "protocolVersion", "HTTP1, HTTP2, GRPC");
  }
  if (input.ip_address_type == "ipv6") {
    return fail("InvalidConfigurationRequest",
                "The IP address type 'ipv6' is not supported by this version of Weir");
  }
  if (input.ip_address_type != "ipv4") {
    return not_in_enum(input.ip_address_type, "ipAddressType", "ipv4, ipv6");
  }
  return {};
}

Status check_health_check(const model::HealthCheck& check, const std::string& target_type) {
  if (check.protocol == "HTTPS") {
    return fail("UnsupportedProtocol", "HTTPS health checks come with Weir's TLS support",
                "Use the health check protocol HTTP.");
  }
  return model::validate_health_check(check, target_type);
}

// `field` becomes what is asked for, if anything is.
template <typename T>
void change(T& field, const std::optional<T>& wanted) {
  if (wanted) field = *wanted;
}

// A mirror that is set is another group, and exists. One that is gone all the same, as the store of
// an earlier version may have it, does not hold up other changes.
Status check_mirror(const State& state, const model::TargetGroup& group,
                    const std::string& before) {
  const std::string mirror = mirror_of(group);
  if (mirror.empty() || mirror == before) return {};
  if (mirror == group.arn)
    return fail("InvalidConfigurationRequest", "A target group cannot mirror to itself");
  const auto found = find_target_group(state, mirror);
  return found ? Status{} : std::unexpected(found.error());
}

// Copies the record, changes and checks the copy by `make`, and puts it back.
template <typename Make>
Result<model::TargetGroup> changed(Registry& registry, const std::string& arn, Make make) {
  model::TargetGroup group;
  auto done = registry.update([&](Draft& draft) -> Status {
    const auto old = find_target_group(draft.state(), arn);
    if (!old) return std::unexpected(old.error());
    group = **old;
    if (Status made = make(group); !made) return made;
    if (Status there = check_mirror(draft.state(), group, mirror_of(**old)); !there) return there;
    draft.put(group);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return group;
}

Status validate(const CreateTargetGroupInput& input) {
  if (auto valid = model::validate_target_group_name(input.name); !valid) return valid;
  if (auto valid = validate_kind(input); !valid) return valid;
  if (!input.port) return fail("ValidationError", "A port must be specified");
  if (auto valid = model::validate_port(*input.port, "port"); !valid) return valid;
  if (auto valid = check_health_check(input.health_check, input.target_type); !valid) {
    return valid;
  }
  if (auto valid = model::validate_target_group_attributes(input.attributes, input.target_type);
      !valid) {
    return valid;
  }
  return model::validate_tags(input.tags);
}

Result<std::string> find_vpc(const State& state, const std::string& vpc_id) {
  if (vpc_id.empty()) {
    const model::Vpc* vpc = default_vpc(state);
    if (vpc == nullptr) return fail("ValidationError", "A VPC ID must be specified");
    return vpc->id;
  }
  if (!state.vpcs.contains(vpc_id)) {
    return fail("ValidationError", fmt::format("The VPC ID '{}' is not found", vpc_id));
  }
  return vpc_id;
}

}  // namespace

Result<model::TargetGroup> Elb::create_target_group(const CreateTargetGroupInput& input) {
  if (auto valid = validate(input); !valid) return std::unexpected(valid.error());
  model::TargetGroup group{.arn = {},
                           .name = input.name,
                           .target_type = input.target_type,
                           .protocol = input.protocol,
                           .protocol_version = input.protocol_version,
                           .ip_address_type = input.ip_address_type,
                           .port = static_cast<std::uint16_t>(*input.port),
                           .vpc_id = {},
                           .health_check = input.health_check,
                           .attributes = input.attributes,
                           .tags = input.tags};
  auto done = registry_.update([&](Draft& draft) -> Status {
    auto vpc_id = find_vpc(draft.state(), input.vpc_id);
    if (!vpc_id) return std::unexpected(vpc_id.error());
    group.vpc_id = std::move(*vpc_id);
    if (const std::string* arn = draft.state().index.target_group_named(group.name)) {
      const model::TargetGroup& other = draft.state().target_groups.at(*arn);
      group.arn = other.arn;
      if (has_all(other.attributes, group.attributes)) group.attributes = other.attributes;
      // Two values are the same where their records are.
      if (model::encode(other) == model::encode(group)) return {};
      return fail("DuplicateTargetGroupName",
                  fmt::format("A target group with the same name '{}' exists, but with different "
                              "settings",
                              group.name));
    }
    if (draft.state().target_groups.size() >= limits_.target_groups) {
      return fail(
          "TooManyTargetGroups",
          fmt::format("The limit of '{}' target groups has been reached", limits_.target_groups));
    }
    if (Status there = check_mirror(draft.state(), group, ""); !there) return there;
    group.arn = make_target_group_arn(registry_, group.name);
    draft.put(group);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return group;
}

Result<model::TargetGroup> Elb::modify_target_group(const ModifyTargetGroupInput& input) {
  return changed(registry_, input.target_group_arn, [&](model::TargetGroup& group) {
    model::HealthCheck& check = group.health_check;
    change(check.enabled, input.health_check_enabled);
    change(check.protocol, input.health_check_protocol);
    change(check.port, input.health_check_port);
    change(check.path, input.health_check_path);
    change(check.timeout_seconds, input.health_check_timeout_seconds);
    change(check.interval_seconds, input.health_check_interval_seconds);
    change(check.healthy_threshold, input.healthy_threshold);
    change(check.unhealthy_threshold, input.unhealthy_threshold);
    change(check.http_codes, input.http_codes);
    return check_health_check(check, group.target_type);
  });
}

Result<model::TargetGroup> Elb::modify_target_group_attributes(
    const std::string& arn, const model::Attributes& attributes) {
  return changed(registry_, arn, [&](model::TargetGroup& group) {
    group.attributes = merged(group.attributes, attributes);
    return model::validate_target_group_attributes(group.attributes, group.target_type);
  });
}

Status Elb::delete_target_group(const std::string& arn) {
  return registry_.update([&](Draft& draft) -> Status {
    if (!draft.state().target_groups.contains(arn)) return {};
    if (!load_balancers_of(draft.state(), arn).empty()) {
      return fail("ResourceInUse",
                  fmt::format("Target group '{}' is currently in use by a listener or a rule", arn),
                  "Delete the listeners and rules that forward to it first.");
    }
    if (const auto& sources = draft.state().index.mirrored_to(arn); !sources.empty()) {
      return fail("ResourceInUse",
                  fmt::format("Target group '{}' is currently in use as the mirror of '{}'", arn,
                              *sources.begin()),
                  "Set weir.mirror.target_group_arn of that group to another one or to nothing.");
    }
    std::vector<TargetKey> keys;
    for (const model::Target* target : targets_of(draft.state(), arn)) {
      keys.emplace_back(target->target_group_arn, target->id, target->port);
    }
    for (const TargetKey& key : keys) draft.erase_target(key);
    draft.erase_target_group(arn);
    return {};
  });
}

}  // namespace weir::control
