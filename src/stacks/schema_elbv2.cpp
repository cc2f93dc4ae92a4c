// AWS::ElasticLoadBalancingV2: load balancers, listeners, rules and target groups.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "stacks/schema.hpp"

namespace weir::stacks {

namespace {

using enum Shape;

// Load balancers and target groups: reference §1.1, §4.1.
std::string check_name(std::string_view text) {
  const bool is_plain =
      std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
  if (text.empty() || text.size() > 32 || !is_plain || text.starts_with('-') ||
      text.ends_with('-')) {
    return fmt::format("'{}': a name has 1–32 letters, digits and hyphens, no hyphen first or last",
                       text);
  }
  return {};
}

std::string check_load_balancer_name(std::string_view text) {
  if (text.starts_with("internal-")) return fmt::format("'{}' must not begin with internal-", text);
  return check_name(text);
}

std::string check_fixed_status(std::string_view text) {
  const bool is_code = text.size() == 3 && std::ranges::all_of(text, [](unsigned char c) {
                         return std::isdigit(c) != 0;
                       });
  if (is_code && (text[0] == '2' || text[0] == '4' || text[0] == '5')) return {};
  return fmt::format("'{}' is no status 2xx, 4xx or 5xx", text);
}

std::string check_message_body(std::string_view text) {
  if (text.size() <= 1024) return {};
  return fmt::format("{} characters; a fixed response has at most 1024", text.size());
}

constexpr std::array<Property, 2> key_value_fields{{
    {.name = "Key", .is_required = true},
    {.name = "Value", .is_required = true},
}};

constexpr Property tags{.name = "Tags", .shape = structure_list, .fields = key_value_fields};

// ---------------------------------------------------------------- target groups
constexpr std::array<Property, 2> matcher_fields{{
    {.name = "GrpcCode",
     .support = Support::refused,
     .note = "gRPC target groups are not there yet"},
    {.name = "HttpCode"},
}};

constexpr std::array<Property, 4> target_fields{{
    {.name = "AvailabilityZone"},
    {.name = "Id", .is_required = true},
    {.name = "Port", .shape = integer, .min = 1, .max = 65535},
    {.name = "QuicServerId",
     .support = Support::refused,
     .note = "for network load balancers only"},
}};

constexpr std::array<Property, 20> target_group_properties{{
    {.name = "HealthCheckEnabled", .shape = boolean},
    {.name = "HealthCheckIntervalSeconds", .shape = integer, .min = 5, .max = 300},
    {.name = "HealthCheckPath"},
    {.name = "HealthCheckPort"},
    {.name = "HealthCheckProtocol", .allowed = "HTTP", .note = "HTTPS to targets is not there yet"},
    {.name = "HealthCheckTimeoutSeconds", .shape = integer, .min = 2, .max = 120},
    {.name = "HealthyThresholdCount", .shape = integer, .min = 2, .max = 10},
    {.name = "IpAddressType", .is_create_only = true, .allowed = "ipv4", .note = "the VPC is IPv4"},
    {.name = "Matcher", .shape = structure, .fields = matcher_fields},
    {.name = "Name", .is_create_only = true, .check = check_name},
    {.name = "Port", .shape = integer, .is_create_only = true, .min = 1, .max = 65535},
    {.name = "Protocol",
     .is_create_only = true,
     .allowed = "HTTP",
     .note =
         "HTTPS to targets is not there yet, and other protocols are for network load balancers"},
    {.name = "ProtocolVersion",
     .is_create_only = true,
     .allowed = "HTTP1",
     .note = "HTTP/2 to targets is not there yet"},
    tags,
    {.name = "TargetControlPort",
     .support = Support::refused,
     .note = "the target optimizer is not there"},
    {.name = "TargetGroupAttributes", .shape = structure_list, .fields = key_value_fields},
    {.name = "TargetType",
     .is_create_only = true,
     .allowed = "instance|ip",
     .note = "Weir has no Lambda, and alb is for network load balancers"},
    {.name = "Targets", .shape = structure_list, .fields = target_fields},
    {.name = "UnhealthyThresholdCount", .shape = integer, .min = 2, .max = 10},
    {.name = "VpcId", .is_create_only = true},
}};

// ---------------------------------------------------------------- load balancers
constexpr std::string_view no_public_addresses = "for network load balancers only";

constexpr std::array<Property, 5> subnet_mapping_fields{{
    {.name = "AllocationId", .support = Support::refused, .note = no_public_addresses},
    {.name = "IPv6Address", .support = Support::refused, .note = no_public_addresses},
    {.name = "PrivateIPv4Address", .support = Support::refused, .note = no_public_addresses},
    {.name = "SourceNatIpv6Prefix", .support = Support::refused, .note = no_public_addresses},
    {.name = "SubnetId", .is_required = true},
}};

constexpr std::array<Property, 14> load_balancer_properties{{
    {.name = "EnableCapacityReservationProvisionStabilize",
     .shape = boolean,
     .support = Support::no_effect,
     .note = "Weir's capacity is this machine's"},
    {.name = "EnablePrefixForIpv6SourceNat",
     .support = Support::refused,
     .note = no_public_addresses},
    {.name = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
     .support = Support::refused,
     .note = no_public_addresses},
    {.name = "IpAddressType", .allowed = "ipv4", .note = "the VPC is IPv4"},
    {.name = "Ipv4IpamPoolId", .support = Support::refused, .note = "Weir has no IPAM"},
    {.name = "LoadBalancerAttributes", .shape = structure_list, .fields = key_value_fields},
    {.name = "MinimumLoadBalancerCapacity",
     .shape = anything,
     .support = Support::no_effect,
     .note = "Weir's capacity is this machine's"},
    {.name = "Name", .is_create_only = true, .check = check_load_balancer_name},
    {.name = "Scheme", .is_create_only = true, .allowed = "internet-facing|internal"},
    {.name = "SecurityGroups", .shape = string_list},
    {.name = "SubnetMappings", .shape = structure_list, .fields = subnet_mapping_fields},
    {.name = "Subnets", .shape = string_list},
    tags,
    {.name = "Type",
     .is_create_only = true,
     .allowed = "application",
     .note = "Weir has application load balancers only"},
}};

// ---------------------------------------------------------------- actions
constexpr std::array<Property, 2> target_group_tuple_fields{{
    {.name = "TargetGroupArn", .is_required = true},
    {.name = "Weight", .shape = integer, .min = 0, .max = 999},
}};

constexpr std::array<Property, 2> stickiness_fields{{
    {.name = "DurationSeconds", .shape = integer, .min = 1, .max = 604800},
    {.name = "Enabled", .shape = boolean},
}};

constexpr std::array<Property, 2> forward_fields{{
    {.name = "TargetGroupStickinessConfig", .shape = structure, .fields = stickiness_fields},
    {.name = "TargetGroups", .shape = structure_list, .fields = target_group_tuple_fields},
}};

constexpr std::array<Property, 6> redirect_fields{{
    {.name = "Host"},
    {.name = "Path"},
    {.name = "Port"},
    {.name = "Protocol", .allowed = "HTTP|HTTPS|#{protocol}"},
    {.name = "Query"},
    {.name = "StatusCode", .is_required = true, .allowed = "HTTP_301|HTTP_302"},
}};

constexpr std::array<Property, 3> fixed_response_fields{{
    {.name = "ContentType",
     .allowed = "text/plain|text/css|text/html|application/javascript|application/json"},
    {.name = "MessageBody", .check = check_message_body},
    {.name = "StatusCode", .is_required = true, .check = check_fixed_status},
}};

constexpr std::array<Property, 3> additional_claim_fields{{
    {.name = "Format",
     .is_required = true,
     .allowed = "single-string|string-array|space-separated-values"},
    {.name = "Name", .is_required = true},
    {.name = "Values", .shape = string_list, .is_required = true},
}};

constexpr std::array<Property, 3> jwt_validation_fields{{
    {.name = "AdditionalClaims", .shape = structure_list, .fields = additional_claim_fields},
    {.name = "Issuer", .is_required = true},
    {.name = "JwksEndpoint", .is_required = true},
}};

constexpr std::string_view no_authentication =
    "of the actions that authenticate only jwt-validation is there";

constexpr std::array<Property, 9> action_fields{{
    {.name = "AuthenticateCognitoConfig", .support = Support::refused, .note = no_authentication},
    {.name = "AuthenticateOidcConfig", .support = Support::refused, .note = no_authentication},
    {.name = "FixedResponseConfig", .shape = structure, .fields = fixed_response_fields},
    {.name = "ForwardConfig", .shape = structure, .fields = forward_fields},
    {.name = "JwtValidationConfig", .shape = structure, .fields = jwt_validation_fields},
    {.name = "Order", .shape = integer, .min = 1, .max = 50000},
    {.name = "RedirectConfig", .shape = structure, .fields = redirect_fields},
    {.name = "TargetGroupArn"},
    {.name = "Type",
     .is_required = true,
     .allowed = "forward|redirect|fixed-response|jwt-validation",
     .note = no_authentication},
}};

// ---------------------------------------------------------------- listeners
constexpr std::array<Property, 1> certificate_fields{{
    {.name = "CertificateArn", .is_required = true},
}};

constexpr std::array<Property, 4> mutual_fields{{
    {.name = "AdvertiseTrustStoreCaNames", .allowed = "on|off"},
    {.name = "IgnoreClientCertificateExpiry", .shape = boolean},
    {.name = "Mode", .allowed = "off|passthrough|verify"},
    {.name = "TrustStoreArn"},
}};

constexpr std::array<Property, 2> listener_certificate_properties{{
    {.name = "Certificates",
     .shape = structure_list,
     .is_required = true,
     .fields = certificate_fields},
    {.name = "ListenerArn", .is_required = true, .is_create_only = true},
}};

constexpr std::array<Property, 9> listener_properties{{
    {.name = "AlpnPolicy", .support = Support::refused, .note = no_public_addresses},
    {.name = "Certificates", .shape = structure_list, .fields = certificate_fields},
    {.name = "DefaultActions",
     .shape = structure_list,
     .is_required = true,
     .fields = action_fields},
    {.name = "ListenerAttributes", .shape = structure_list, .fields = key_value_fields},
    {.name = "LoadBalancerArn", .is_required = true, .is_create_only = true},
    {.name = "MutualAuthentication", .shape = structure, .fields = mutual_fields},
    {.name = "Port", .shape = integer, .min = 1, .max = 65535},
    {.name = "Protocol", .allowed = "HTTP|HTTPS"},
    {.name = "SslPolicy"},
}};

// ---------------------------------------------------------------- rules
constexpr std::array<Property, 2> value_fields{{
    {.name = "RegexValues", .shape = string_list},
    {.name = "Values", .shape = string_list},
}};

constexpr std::array<Property, 1> plain_value_fields{{
    {.name = "Values", .shape = string_list},
}};

constexpr std::array<Property, 3> http_header_fields{{
    {.name = "HttpHeaderName"},
    {.name = "RegexValues", .shape = string_list},
    {.name = "Values", .shape = string_list},
}};

constexpr std::array<Property, 2> query_pair_fields{{
    {.name = "Key"},
    {.name = "Value"},
}};

constexpr std::array<Property, 1> query_string_fields{{
    {.name = "Values", .shape = structure_list, .fields = query_pair_fields},
}};

constexpr std::array<Property, 9> condition_fields{{
    {.name = "Field",
     .allowed = "path-pattern|host-header|http-header|http-request-method|query-string|source-ip"},
    {.name = "HostHeaderConfig", .shape = structure, .fields = value_fields},
    {.name = "HttpHeaderConfig", .shape = structure, .fields = http_header_fields},
    {.name = "HttpRequestMethodConfig", .shape = structure, .fields = plain_value_fields},
    {.name = "PathPatternConfig", .shape = structure, .fields = value_fields},
    {.name = "QueryStringConfig", .shape = structure, .fields = query_string_fields},
    {.name = "RegexValues", .shape = string_list},
    {.name = "SourceIpConfig", .shape = structure, .fields = plain_value_fields},
    {.name = "Values", .shape = string_list},
}};

constexpr std::array<Property, 2> rewrite_fields{{
    {.name = "Regex", .is_required = true},
    {.name = "Replace", .is_required = true},
}};

constexpr std::array<Property, 1> rewrite_config_fields{{
    {.name = "Rewrites", .shape = structure_list, .is_required = true, .fields = rewrite_fields},
}};

constexpr std::array<Property, 3> transform_fields{{
    {.name = "HostHeaderRewriteConfig", .shape = structure, .fields = rewrite_config_fields},
    {.name = "Type", .is_required = true, .allowed = "host-header-rewrite|url-rewrite"},
    {.name = "UrlRewriteConfig", .shape = structure, .fields = rewrite_config_fields},
}};

constexpr std::array<Property, 5> rule_properties{{
    {.name = "Actions", .shape = structure_list, .is_required = true, .fields = action_fields},
    {.name = "Conditions",
     .shape = structure_list,
     .is_required = true,
     .fields = condition_fields},
    {.name = "ListenerArn", .is_required = true, .is_create_only = true},
    {.name = "Priority", .shape = integer, .is_required = true, .min = 1, .max = 50000},
    {.name = "Transforms", .shape = structure_list, .fields = transform_fields},
}};

// ---------------------------------------------------------------- types
constexpr std::array<Attribute, 6> load_balancer_attributes{{
    {.name = "CanonicalHostedZoneID"},
    {.name = "DNSName"},
    {.name = "LoadBalancerArn"},
    {.name = "LoadBalancerFullName"},
    {.name = "LoadBalancerName"},
    {.name = "SecurityGroups", .is_list = true},
}};
constexpr std::array<Attribute, 1> listener_attributes{{{.name = "ListenerArn"}}};
constexpr std::array<Attribute, 1> listener_certificate_attributes{{{.name = "Id"}}};
constexpr std::array<Attribute, 2> rule_attributes{{{.name = "IsDefault"}, {.name = "RuleArn"}}};
constexpr std::array<Attribute, 4> target_group_attributes{{
    {.name = "LoadBalancerArns", .is_list = true},
    {.name = "TargetGroupArn"},
    {.name = "TargetGroupFullName"},
    {.name = "TargetGroupName"},
}};

constexpr std::array<ResourceType, 5> types{{
    {.name = "AWS::ElasticLoadBalancingV2::Listener",
     .properties = listener_properties,
     .attributes = listener_attributes},
    {.name = "AWS::ElasticLoadBalancingV2::ListenerCertificate",
     .properties = listener_certificate_properties,
     .attributes = listener_certificate_attributes},
    {.name = "AWS::ElasticLoadBalancingV2::ListenerRule",
     .properties = rule_properties,
     .attributes = rule_attributes},
    {.name = "AWS::ElasticLoadBalancingV2::LoadBalancer",
     .properties = load_balancer_properties,
     .attributes = load_balancer_attributes},
    {.name = "AWS::ElasticLoadBalancingV2::TargetGroup",
     .properties = target_group_properties,
     .attributes = target_group_attributes},
}};

}  // namespace

std::span<const ResourceType> elbv2_types() { return types; }

}  // namespace weir::stacks
