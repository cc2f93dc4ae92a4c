#include "model/attributes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/assert.hpp"
#include "model/attribute_values.hpp"
#include "model/limits.hpp"

namespace weir::model {
namespace {

// RFC 9110 token; empty restores the default name.
bool is_header_name(std::string_view value, const AttributeSpec&) {
  return value.size() <= limits::header_name_chars_max && is_token(value);
}

// Reference §2.2: at most 1 KB of these.
bool is_header_value(std::string_view value, const AttributeSpec&) {
  constexpr std::string_view more = " _:;.,\\/'?!(){}[]@<>=-+*#&`|~^%";
  return value.size() <= limits::attribute_value_bytes_max &&
         std::ranges::all_of(value, [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  more.find(c) != std::string_view::npos;
         });
}

// Names that the load balancer keeps for its own cookies.
bool is_cookie_name(std::string_view value, const AttributeSpec& spec) {
  return is_header_name(value, spec) && !value.starts_with("AWSALB");
}

constexpr AttributeSpec header_name(std::string_view key) {
  return {key, "", "a header name", is_header_name, in_force};
}

constexpr AttributeSpec header_value(std::string_view key) {
  return {key, "", "a header value of at most 1024 characters", is_header_value, in_force};
}

constexpr AttributeSpec log_bucket(std::string_view key) {
  return {key, "", "a bucket name of 3 to 63 lower-case letters, digits, '.' and '-'",
          is_bucket_name, in_force};
}

constexpr AttributeSpec log_prefix(std::string_view key) {
  return {key, "", "a prefix without 'AWSLogs', such as 'logs' or 'logs/web'", is_log_prefix,
          in_force};
}

constexpr auto aws_load_balancer_specs = std::to_array<AttributeSpec>({
    flag("access_logs.s3.enabled", "false", in_force),
    log_bucket("access_logs.s3.bucket"),
    log_prefix("access_logs.s3.prefix"),
    flag("connection_logs.s3.enabled", "false", in_force),
    log_bucket("connection_logs.s3.bucket"),
    log_prefix("connection_logs.s3.prefix"),
    flag("health_check_logs.s3.enabled", "false", in_force),
    log_bucket("health_check_logs.s3.bucket"),
    log_prefix("health_check_logs.s3.prefix"),
    range("client_keep_alive.seconds", "3600", "60-604800", 60, 604'800, in_force),
    flag("deletion_protection.enabled", "false", in_force),
    range("idle_timeout.timeout_seconds", "60", "1-4000", 1, 4000, in_force),
    flag("ipv6.deny_all_igw_traffic", "false", default_only),
    word("load_balancing.cross_zone.enabled", "true", "true", in_force),
    word("routing.http.desync_mitigation_mode", "defensive", "monitor | defensive | strictest",
         in_force),
    flag("routing.http.drop_invalid_header_fields.enabled", "false", in_force),
    flag("routing.http.preserve_host_header.enabled", "false", in_force),
    flag("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", in_force),
    flag("routing.http.xff_client_port.enabled", "false", in_force),
    word("routing.http.xff_header_processing.mode", "append", "append | preserve | remove",
         in_force),
    // HTTP/2 needs an HTTPS listener; without one both values mean the same.
    flag("routing.http2.enabled", "true", in_force),
    flag("waf.fail_open.enabled", "false", default_only),
    flag("zonal_shift.config.enabled", "false", default_only),
});

constexpr auto listener_specs = std::to_array<AttributeSpec>({
    header_name("routing.http.request.x_amzn_mtls_clientcert.header_name"),
    header_name("routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name"),
    header_name("routing.http.request.x_amzn_mtls_clientcert_issuer.header_name"),
    header_name("routing.http.request.x_amzn_mtls_clientcert_subject.header_name"),
    header_name("routing.http.request.x_amzn_mtls_clientcert_validity.header_name"),
    header_name("routing.http.request.x_amzn_mtls_clientcert_leaf.header_name"),
    header_name("routing.http.request.x_amzn_tls_version.header_name"),
    header_name("routing.http.request.x_amzn_tls_cipher_suite.header_name"),
    flag("routing.http.response.server.enabled", "true", in_force),
    header_value("routing.http.response.strict_transport_security.header_value"),
    header_value("routing.http.response.access_control_allow_origin.header_value"),
    header_value("routing.http.response.access_control_allow_methods.header_value"),
    header_value("routing.http.response.access_control_allow_headers.header_value"),
    header_value("routing.http.response.access_control_allow_credentials.header_value"),
    header_value("routing.http.response.access_control_expose_headers.header_value"),
    header_value("routing.http.response.access_control_max_age.header_value"),
    header_value("routing.http.response.content_security_policy.header_value"),
    header_value("routing.http.response.x_content_type_options.header_value"),
    header_value("routing.http.response.x_frame_options.header_value"),
});

// The most targets that a group can have in any zone: the bound of the two counts.
constexpr long targets_max = 100'000;

constexpr auto aws_target_group_specs = std::to_array<AttributeSpec>({
    range("deregistration_delay.timeout_seconds", "300", "0-3600", 0, 3600, in_force),
    {"slow_start.duration_seconds", "0", "0 | 30-900", is_zero_or_in_range, in_force, 30, 900},
    word("load_balancing.algorithm.type", "round_robin",
         "round_robin | least_outstanding_requests | weighted_random", in_force),
    word("load_balancing.algorithm.anomaly_mitigation", "off", "on | off", in_force),
    word("load_balancing.cross_zone.enabled", "use_load_balancer_configuration",
         "true | false | use_load_balancer_configuration", in_force),
    flag("stickiness.enabled", "false", in_force),
    word("stickiness.type", "lb_cookie", "lb_cookie | app_cookie", in_force),
    range("stickiness.lb_cookie.duration_seconds", "86400", "1-604800", 1, 604'800, in_force),
    range("stickiness.app_cookie.duration_seconds", "86400", "1-604800", 1, 604'800, in_force),
    {"stickiness.app_cookie.cookie_name", "", "a cookie name that does not begin with AWSALB",
     is_cookie_name, in_force},
    {"target_group_health.dns_failover.minimum_healthy_targets.count", "1", "off | 1-100000",
     is_off_or_in_range, default_only, 1, targets_max},
    {"target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", "off | 1-100",
     is_off_or_in_range, default_only, 1, 100},
    range("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1",
          "1-100000", 1, targets_max, in_force),
    {"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off",
     "off | 1-100", is_off_or_in_range, in_force, 1, 100},
    flag("lambda.multi_value_headers.enabled", "false", default_only),
});

std::vector<AttributeSpec> joined(std::span<const AttributeSpec> aws,
                                  std::span<const AttributeSpec> weir) {
  std::vector<AttributeSpec> all(aws.begin(), aws.end());
  all.insert(all.end(), weir.begin(), weir.end());
  return all;
}

const AttributeSpec* find(std::span<const AttributeSpec> specs, std::string_view key) {
  const auto found = std::ranges::find(specs, key, &AttributeSpec::key);
  return found == specs.end() ? nullptr : &*found;
}

Status validate_pair(std::string_view kind, std::span<const AttributeSpec> specs,
                     const std::string& key, const std::string& value) {
  const AttributeSpec* spec = find(specs, key);
  if (spec == nullptr) {
    return fail("ValidationError",
                fmt::format("{} attribute key '{}' is not recognized", kind, key));
  }
  if (value.size() > limits::attribute_value_bytes_max || !spec->is_valid(value, *spec)) {
    const std::string shown = value.substr(0, 100);
    if (spec->is_valid == is_in_range) {
      return fail("ValidationError", fmt::format("'{}' value '{}' must be between '{}' inclusive",
                                                 key, shown, spec->values));
    }
    return fail("ValidationError",
                fmt::format("'{}' value '{}' must be {}", key, shown, spec->values));
  }
  if (!spec->is_in_force && value != spec->default_value) {
    return fail("InvalidConfigurationRequest",
                fmt::format("'{}' can only be '{}' in this version of Weir, not '{}'", key,
                            spec->default_value, value),
                "Leave the attribute out.");
  }
  return {};
}

Status validate_all(std::string_view kind, std::span<const AttributeSpec> specs,
                    const Attributes& attributes) {
  for (const auto& [key, value] : attributes) {
    if (auto valid = validate_pair(kind, specs, key, value); !valid) return valid;
  }
  return {};
}

}  // namespace

std::span<const AttributeSpec> load_balancer_attributes() {
  static const auto all = joined(aws_load_balancer_specs, weir_load_balancer_attributes());
  return all;
}
std::span<const AttributeSpec> listener_attributes() { return listener_specs; }
std::span<const AttributeSpec> target_group_attributes() {
  static const auto all = joined(aws_target_group_specs, weir_target_group_attributes());
  return all;
}

Status validate_load_balancer_attributes(const Attributes& attributes) {
  if (auto valid = validate_all("Load balancer", load_balancer_attributes(), attributes); !valid) {
    return valid;
  }
  for (const std::string_view log : {"access_logs", "connection_logs", "health_check_logs"}) {
    if (flag_of(attributes, load_balancer_attributes(), fmt::format("{}.s3.enabled", log)) &&
        value_of(attributes, load_balancer_attributes(), fmt::format("{}.s3.bucket", log))
            .empty()) {
      return fail("InvalidConfigurationRequest",
                  fmt::format("The value of '{}.s3.bucket' cannot be empty", log));
    }
  }
  return {};
}

Status validate_listener_attributes(const Attributes& attributes) {
  return validate_all("Listener", listener_specs, attributes);
}

Status validate_target_group_attributes(const Attributes& attributes,
                                        std::string_view target_type) {
  if (auto valid = validate_all("Target group", target_group_attributes(), attributes); !valid) {
    return valid;
  }
  const auto get = [&](std::string_view key) {
    return value_of(attributes, target_group_attributes(), key);
  };
  const bool is_lambda = target_type == "lambda";
  for (const auto& [key, value] : attributes) {
    if (is_lambda != key.starts_with("lambda.") &&
        (key.starts_with("lambda.") || key.starts_with("deregistration_delay."))) {
      return fail("InvalidConfigurationRequest",
                  fmt::format("A target group with target type '{}' does not support the attribute "
                              "{}",
                              target_type, key));
    }
  }
  const bool is_sticky = get("stickiness.enabled") == "true";
  if (is_sticky && get("stickiness.type") == "app_cookie" &&
      get("stickiness.app_cookie.cookie_name").empty()) {
    return fail("InvalidConfigurationRequest",
                "You must set an application cookie name to enable stickiness of type "
                "'app_cookie'");
  }
  const std::string algorithm = get("load_balancing.algorithm.type");
  if (is_sticky && algorithm == "weighted_random") {
    return fail("InvalidConfigurationRequest",
                "You cannot enable stickiness with the algorithm 'weighted_random'");
  }
  if (get("slow_start.duration_seconds") != "0" && algorithm != "round_robin") {
    return fail("InvalidConfigurationRequest",
                fmt::format("You cannot enable slow start with the algorithm '{}'", algorithm));
  }
  if (is_sticky && get("load_balancing.cross_zone.enabled") == "false") {
    return fail("InvalidConfigurationRequest",
                "You cannot enable stickiness when cross-zone load balancing is off");
  }
  const bool is_latency_aware = get("weir.load_balancing.algorithm") != "off";
  if (is_latency_aware &&
      (algorithm != "round_robin" || get("slow_start.duration_seconds") != "0")) {
    return fail("InvalidConfigurationRequest",
                "'weir.load_balancing.algorithm' takes the place of the algorithm 'round_robin' "
                "without slow start, and of no other");
  }
  if (get("load_balancing.algorithm.anomaly_mitigation") == "on" &&
      algorithm != "weighted_random") {
    return fail("InvalidConfigurationRequest",
                "You can only enable anomaly mitigation with the algorithm 'weighted_random'");
  }
  return {};
}

std::string value_of(const Attributes& attributes, std::span<const AttributeSpec> specs,
                     std::string_view key) {
  if (const auto set = attributes.find(std::string(key)); set != attributes.end()) {
    return set->second;
  }
  const AttributeSpec* spec = find(specs, key);
  WEIR_ASSERT(spec != nullptr);
  return std::string(spec->default_value);
}

long number_of(const Attributes& attributes, std::span<const AttributeSpec> specs,
               std::string_view key) {
  const std::string value = value_of(attributes, specs, key);
  if (const auto parsed = number(value)) return *parsed;
  const AttributeSpec* spec = find(specs, key);
  return number(spec->default_value).value_or(0);
}

bool flag_of(const Attributes& attributes, std::span<const AttributeSpec> specs,
             std::string_view key) {
  return value_of(attributes, specs, key) == "true";
}

bool has_deletion_protection(const LoadBalancer& load_balancer) {
  return flag_of(load_balancer.attributes, load_balancer_attributes(),
                 "deletion_protection.enabled");
}

long deregistration_delay_seconds(const TargetGroup& group) {
  return number_of(group.attributes, target_group_attributes(),
                   "deregistration_delay.timeout_seconds");
}

}  // namespace weir::model
