// The description of each type that codec.cpp writes and reads: `fields`, a list of (name, member).
//
// Included by codec.cpp alone.
#pragma once

#include <concepts>
#include <type_traits>

#include "model/resources.hpp"

namespace weir::model {

// `fields` takes both `T&` and `const T&`.
template <typename Value, typename T>
concept is = std::same_as<std::remove_const_t<Value>, T>;

// Bytes that need not be text.
template <typename String>
struct Bytes {
  String& value;
};

// ---------------------------------------------------------------- network, instances
void fields(auto& archive, is<Vpc> auto& v) {
  archive("id", v.id);
  archive("cidr", v.cidr);
  archive("is_default", v.is_default);
  archive("tags", v.tags);
}

void fields(auto& archive, is<Subnet> auto& v) {
  archive("id", v.id);
  archive("vpc_id", v.vpc_id);
  archive("zone", v.zone);
  archive("zone_id", v.zone_id);
  archive("cidr", v.cidr);
  archive("is_default_for_zone", v.is_default_for_zone);
  archive("tags", v.tags);
}

void fields(auto& archive, is<SecurityGroupRule> auto& v) {
  archive("protocol", v.protocol);
  archive("from_port", v.from_port);
  archive("to_port", v.to_port);
  archive("cidr", v.cidr);
  archive("cidr_v6", v.cidr_v6);
  archive("group_id", v.group_id);
  archive("description", v.description);
  archive("id", v.id);
  archive("tags", v.tags);
}

void fields(auto& archive, is<KeyPair> auto& v) {
  archive("id", v.id);
  archive("name", v.name);
  archive("type", v.type);
  archive("fingerprint", v.fingerprint);
  archive("public_key", v.public_key);
  archive("created_at_ms", v.created_at_ms);
  archive("tags", v.tags);
}

void fields(auto& archive, is<SecurityGroup> auto& v) {
  archive("id", v.id);
  archive("name", v.name);
  archive("description", v.description);
  archive("vpc_id", v.vpc_id);
  archive("ingress", v.ingress);
  archive("egress", v.egress);
  archive("tags", v.tags);
}

void fields(auto& archive, is<StateReason> auto& v) {
  archive("code", v.code);
  archive("message", v.message);
}

void fields(auto& archive, is<Instance> auto& v) {
  archive("id", v.id);
  archive("reservation_id", v.reservation_id);
  archive("image_id", v.image_id);
  archive("type", v.type);
  archive("vpc_id", v.vpc_id);
  archive("subnet_id", v.subnet_id);
  archive("zone", v.zone);
  archive("private_ip", v.private_ip);
  archive("mac", v.mac);
  archive("private_dns_name", v.private_dns_name);
  archive("security_group_ids", v.security_group_ids);
  archive("key_name", v.key_name);
  archive("public_key", v.public_key);
  archive("user_data", Bytes{v.user_data});
  archive("launch_index", v.launch_index);
  archive("launch_time_ms", v.launch_time_ms);
  archive("state", v.state);
  archive("state_reason", v.state_reason);
  archive("user_data_done", v.user_data_done);
  archive("terminated_at_ms", v.terminated_at_ms);
  archive("root_volume_id", v.root_volume_id);
  archive("network_interface_id", v.network_interface_id);
  archive("client_token", v.client_token);
  archive("client_token_digest", v.client_token_digest);
  archive("disable_api_termination", v.disable_api_termination);
  archive("disable_api_stop", v.disable_api_stop);
  archive("shutdown_behavior", v.shutdown_behavior);
  archive("source_dest_check", v.source_dest_check);
  archive("detailed_monitoring", v.detailed_monitoring);
  archive("ebs_optimized", v.ebs_optimized);
  archive("metadata_tokens_required", v.metadata_tokens_required);
  archive("cpu_credits", v.cpu_credits);
  archive("volume_tags", v.volume_tags);
  archive("network_interface_tags", v.network_interface_tags);
  archive("tags", v.tags);
}

void fields(auto& archive, is<HealthCheck> auto& v) {
  archive("enabled", v.enabled);
  archive("protocol", v.protocol);
  archive("port", v.port);
  archive("path", v.path);
  archive("timeout_seconds", v.timeout_seconds);
  archive("interval_seconds", v.interval_seconds);
  archive("healthy_threshold", v.healthy_threshold);
  archive("unhealthy_threshold", v.unhealthy_threshold);
  archive("http_codes", v.http_codes);
}

void fields(auto& archive, is<TargetGroup> auto& v) {
  archive("arn", v.arn);
  archive("name", v.name);
  archive("target_type", v.target_type);
  archive("protocol", v.protocol);
  archive("protocol_version", v.protocol_version);
  archive("ip_address_type", v.ip_address_type);
  archive("port", v.port);
  archive("vpc_id", v.vpc_id);
  archive("health_check", v.health_check);
  archive("attributes", v.attributes);
  archive("tags", v.tags);
}

void fields(auto& archive, is<Target> auto& v) {
  archive("target_group_arn", v.target_group_arn);
  archive("id", v.id);
  archive("port", v.port);
  archive("zone", v.zone);
  archive("registered_at_ms", v.registered_at_ms);
  archive("draining_until_ms", v.draining_until_ms);
}

void fields(auto& archive, is<LoadBalancerNode> auto& v) {
  archive("zone", v.zone);
  archive("subnet_id", v.subnet_id);
  archive("private_ip", v.private_ip);
}

void fields(auto& archive, is<CapacityReservation> auto& v) {
  archive("units", v.units);
  archive("changed_at_ms", v.changed_at_ms);
  archive("decreases", v.decreases);
  archive("decreases_day", v.decreases_day);
}

void fields(auto& archive, is<LoadBalancer> auto& v) {
  archive("arn", v.arn);
  archive("name", v.name);
  archive("dns_name", v.dns_name);
  archive("scheme", v.scheme);
  archive("ip_address_type", v.ip_address_type);
  archive("vpc_id", v.vpc_id);
  archive("nodes", v.nodes);
  archive("security_group_ids", v.security_group_ids);
  archive("state", v.state);
  archive("state_reason", v.state_reason);
  archive("created_at_ms", v.created_at_ms);
  archive("ipam_pool_id", v.ipam_pool_id);
  archive("capacity", v.capacity);
  archive("attributes", v.attributes);
  archive("tags", v.tags);
}

void fields(auto& archive, is<TargetGroupTuple> auto& v) {
  archive("target_group_arn", v.target_group_arn);
  archive("weight", v.weight);
}

void fields(auto& archive, is<ForwardAction> auto& v) {
  archive("target_groups", v.target_groups);
  archive("stickiness_enabled", v.stickiness_enabled);
  archive("stickiness_duration_seconds", v.stickiness_duration_seconds);
}

void fields(auto& archive, is<RedirectAction> auto& v) {
  archive("protocol", v.protocol);
  archive("host", v.host);
  archive("port", v.port);
  archive("path", v.path);
  archive("query", v.query);
  archive("status_code", v.status_code);
}

void fields(auto& archive, is<FixedResponseAction> auto& v) {
  archive("status_code", v.status_code);
  archive("content_type", v.content_type);
  archive("message_body", v.message_body);
}

void fields(auto& archive, is<JwtClaim> auto& v) {
  archive("name", v.name);
  archive("format", v.format);
  archive("values", v.values);
}

void fields(auto& archive, is<JwtValidationAction> auto& v) {
  archive("jwks_endpoint", v.jwks_endpoint);
  archive("issuer", v.issuer);
  archive("additional_claims", v.additional_claims);
}

void fields(auto& archive, is<Action> auto& v) {
  archive("order", v.order);
  archive.alternative(std::array{"forward", "redirect", "fixed-response", "jwt-validation"},
                      v.config);
}

void fields(auto& archive, is<QueryStringPair> auto& v) {
  archive("key", v.key);
  archive("value", v.value);
}

void fields(auto& archive, is<Condition> auto& v) {
  archive("field", v.field);
  archive("values", v.values);
  archive("regex_values", v.regex_values);
  archive("http_header_name", v.http_header_name);
  archive("query", v.query);
}

void fields(auto& archive, is<Transform> auto& v) {
  archive("type", v.type);
  archive("regex", v.regex);
  archive("replace", v.replace);
}

void fields(auto& archive, is<MutualAuthentication> auto& v) {
  archive("mode", v.mode);
  archive("trust_store_arn", v.trust_store_arn);
  archive("ignore_client_certificate_expiry", v.ignore_client_certificate_expiry);
  archive("advertise_ca_names", v.advertise_ca_names);
}

void fields(auto& archive, is<Certificate> auto& v) {
  archive("arn", v.arn);
  archive("certificate", v.certificate);
  archive("chain", v.chain);
  archive("private_key", v.private_key);
  archive("type", v.type);
  archive("status", v.status);
  archive("domain_name", v.domain_name);
  archive("subject_alternative_names", v.subject_alternative_names);
  archive("subject", v.subject);
  archive("issuer", v.issuer);
  archive("serial", v.serial);
  archive("key_algorithm", v.key_algorithm);
  archive("signature_algorithm", v.signature_algorithm);
  archive("key_usages", v.key_usages);
  archive("extended_key_usages", v.extended_key_usages);
  archive("not_before_ms", v.not_before_ms);
  archive("not_after_ms", v.not_after_ms);
  archive("created_at_ms", v.created_at_ms);
  archive("imported_at_ms", v.imported_at_ms);
  archive("version", v.version);
  archive("tags", v.tags);
}

void fields(auto& archive, is<Listener> auto& v) {
  archive("arn", v.arn);
  archive("load_balancer_arn", v.load_balancer_arn);
  archive("protocol", v.protocol);
  archive("port", v.port);
  archive("bound_port", v.bound_port);
  archive("default_actions", v.default_actions);
  archive("attributes", v.attributes);
  archive("tags", v.tags);
  archive("default_rule_tags", v.default_rule_tags);
  archive("ssl_policy", v.ssl_policy);
  archive("certificate_arns", v.certificate_arns);
  archive("mutual_authentication", v.mutual_authentication);
}

void fields(auto& archive, is<Rule> auto& v) {
  archive("arn", v.arn);
  archive("listener_arn", v.listener_arn);
  archive("priority", v.priority);
  archive("conditions", v.conditions);
  archive("actions", v.actions);
  archive("transforms", v.transforms);
  archive("tags", v.tags);
}

void fields(auto& archive, is<StickinessKey> auto& v) {
  archive("id", v.id);
  archive("key", v.key);
  archive("created_at_ms", v.created_at_ms);
}

void fields(auto& archive, is<AccessKey> auto& v) {
  archive("id", v.id);
  archive("secret", v.secret);
  archive("name", v.name);
  archive("created_at_ms", v.created_at_ms);
}

void fields(auto& archive, is<TrustStoreRevocation> auto& v) {
  archive("id", v.id);
  archive("entries", v.entries);
  archive("bucket", v.bucket);
  archive("key", v.key);
  archive("content", v.content);
}

void fields(auto& archive, is<TrustStore> auto& v) {
  archive("arn", v.arn);
  archive("name", v.name);
  archive("bucket", v.bucket);
  archive("key", v.key);
  archive("bundle", v.bundle);
  archive("certificates", v.certificates);
  archive("revocations", v.revocations);
  archive("next_revocation_id", v.next_revocation_id);
  archive("tags", v.tags);
}

void fields(auto& archive, is<StackResource> auto& v) {
  archive("logical_id", v.logical_id);
  archive("physical_id", v.physical_id);
  archive("type", v.type);
  archive("status", v.status);
  archive("status_reason", v.status_reason);
  archive("attributes", v.attributes);
  archive("depends_on", v.depends_on);
  archive("properties", v.properties);
}

void fields(auto& archive, is<StackOutput> auto& v) {
  archive("key", v.key);
  archive("value", v.value);
  archive("description", v.description);
}

void fields(auto& archive, is<StackVersion> auto& v) {
  archive("template_body", v.template_body);
  archive("parameters", v.parameters);
  archive("secrets", v.secrets);
  archive("resources", v.resources);
  archive("outputs", v.outputs);
  archive("tags", v.tags);
}

void fields(auto& archive, is<Stack> auto& v) {
  archive("id", v.id);
  archive("name", v.name);
  archive("status", v.status);
  archive("status_reason", v.status_reason);
  archive("template_body", v.template_body);
  archive("parameters", v.parameters);
  archive("secrets", v.secrets);
  archive("resources", v.resources);
  archive("outputs", v.outputs);
  archive("created_at_ms", v.created_at_ms);
  archive("tags", v.tags);
  archive("before", v.before);
  archive("discarded", v.discarded);
}

}  // namespace weir::model
