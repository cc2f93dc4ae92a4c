// The resources as values, with the names of the AWS APIs.
//
// A value here is what a caller asked for and what the store keeps: intent. What is derived from it
// (snapshots, health, which process runs an instance) is not here. Values are copied freely and
// know nothing of each other but ids and ARNs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weir::model {

using Tags = std::map<std::string, std::string>;
using Attributes = std::map<std::string, std::string>;  // only those that a client has set

// ---------------------------------------------------------------- network
struct Vpc {
  std::string id;    // vpc-…
  std::string cidr;  // 172.31.0.0/16
  bool is_default = false;
  Tags tags;
};

struct Subnet {
  std::string id;  // subnet-…
  std::string vpc_id;
  std::string zone;     // us-east-1a
  std::string zone_id;  // use1-az1
  std::string cidr;     // 172.31.0.0/20; .0 network, .1 router, .2 DNS, .3 reserved, last broadcast
  bool is_default_for_zone = false;
  Tags tags;
};

struct SecurityGroupRule {
  std::string protocol;  // "tcp", "udp", "icmp", "icmpv6" or "-1" for all
  int from_port = -1;    // tcp, udp: 0–65535; icmp: type or -1; ignored for "-1"
  int to_port = -1;
  std::string cidr;  // exactly one of cidr, cidr_v6, group_id
  std::string cidr_v6;
  std::string group_id;  // the other end is a member of this group
  std::string description;
  std::string id = {};  // sgr-…; given when the rule is added to its group
  Tags tags = {};
  // What it says, whatever it is called.
  bool operator==(const SecurityGroupRule& other) const {
    return protocol == other.protocol && from_port == other.from_port && to_port == other.to_port &&
           cidr == other.cidr && cidr_v6 == other.cidr_v6 && group_id == other.group_id &&
           description == other.description;
  }
};

struct SecurityGroup {
  std::string id;  // sg-…
  std::string name;
  std::string description;
  std::string vpc_id;
  std::vector<SecurityGroupRule> ingress;
  std::vector<SecurityGroupRule> egress;
  Tags tags;
};

// The public half; the private one is told once, to who has it made.
struct KeyPair {
  std::string id;  // key-…
  std::string name;
  std::string type;         // rsa, ed25519
  std::string fingerprint;  // as EC2 forms it: reference §9.4
  std::string public_key;   // a line of OpenSSH's format
  std::int64_t created_at_ms = 0;
  Tags tags;
};

// ---------------------------------------------------------------- instances
// The codes are EC2's (reference §9.3).
enum class InstanceState : std::uint8_t {
  pending = 0,
  running = 16,
  shutting_down = 32,
  terminated = 48,
  stopping = 64,
  stopped = 80,
};

struct StateReason {
  std::string code;  // Client.UserInitiatedShutdown, Server.InternalError, …
  std::string message;
  bool operator==(const StateReason&) const = default;
};

struct Instance {
  std::string id;  // i-…
  std::string reservation_id;
  std::string image_id;
  std::string type;  // m4.large
  std::string vpc_id;
  std::string subnet_id;
  std::string zone;
  std::string private_ip;
  std::string mac;
  std::string private_dns_name;  // ip-172-31-0-10.ec2.internal
  std::vector<std::string> security_group_ids;
  std::string key_name;
  std::string public_key;  // of that key pair, as it was at the launch
  std::string user_data;   // raw bytes, decoded; at most 16 KiB
  int launch_index = 0;
  std::int64_t launch_time_ms = 0;  // wall clock
  InstanceState state = InstanceState::pending;
  StateReason state_reason;
  bool user_data_done = false;  // it has been started once: never again for this instance
  std::int64_t terminated_at_ms = 0;
  std::string root_volume_id;        // vol-…
  std::string network_interface_id;  // eni-…
  // Of the call that launched it: a second one with this token launches nothing.
  std::string client_token;
  std::string client_token_digest;  // of that call's parameters
  bool disable_api_termination = false;
  bool disable_api_stop = false;
  std::string shutdown_behavior = "stop";  // of a shutdown from within: stop, terminate
  bool source_dest_check = true;
  bool detailed_monitoring = false;
  bool ebs_optimized = false;
  bool metadata_tokens_required = false;  // version 2 of the metadata service only
  std::string cpu_credits;                // standard, unlimited; empty: the type has none
  Tags tags;
  Tags volume_tags;
  Tags network_interface_tags;
};

// ---------------------------------------------------------------- target groups
struct HealthCheck {  // reference §4.5
  bool enabled = true;
  std::string protocol = "HTTP";      // HTTP, HTTPS
  std::string port = "traffic-port";  // or 1–65535
  std::string path = "/";
  int timeout_seconds = 5;
  int interval_seconds = 30;
  int healthy_threshold = 5;
  int unhealthy_threshold = 2;
  std::string http_codes = "200";  // list and ranges
};

struct TargetGroup {
  std::string arn;
  std::string name;
  std::string target_type = "instance";  // instance, ip
  std::string protocol = "HTTP";
  std::string protocol_version = "HTTP1";
  std::string ip_address_type = "ipv4";
  std::uint16_t port = 80;
  std::string vpc_id;
  HealthCheck health_check;
  Attributes attributes;
  Tags tags;
};

// A registration of one target in one group: the key is (target group, id, port).
struct Target {
  std::string target_group_arn;
  std::string id;  // instance id or address
  std::uint16_t port = 0;
  std::string zone;  // of ip targets outside the VPC: "all"
  std::int64_t registered_at_ms = 0;
  // Wall time at which the deregistration delay ends; 0 while registered. A draining target keeps
  // its record until then.
  std::int64_t draining_until_ms = 0;
};

// ---------------------------------------------------------------- load balancers
struct LoadBalancerNode {  // one per enabled zone
  std::string zone;
  std::string subnet_id;
  std::string private_ip;  // the source that targets see
};

enum class LoadBalancerState : std::uint8_t { provisioning, active, failed };

// ModifyCapacityReservation: kept for Describe; a load balancer here has the machine's capacity.
struct CapacityReservation {
  int units = 0;  // load balancer capacity units; 0: none reserved
  std::int64_t changed_at_ms = 0;
  int decreases = 0;               // on that day
  std::int64_t decreases_day = 0;  // days since 1970, UTC
};

struct LoadBalancer {
  std::string arn;
  std::string name;
  std::string dns_name;  // <name>-<number>.us-east-1.elb.localhost
  std::string scheme = "internet-facing";
  std::string ip_address_type = "ipv4";
  std::string vpc_id;
  std::vector<LoadBalancerNode> nodes;
  std::vector<std::string> security_group_ids;
  LoadBalancerState state = LoadBalancerState::provisioning;
  std::string state_reason;
  std::int64_t created_at_ms = 0;
  std::string ipam_pool_id;  // kept for Describe: addresses here come from the subnets
  CapacityReservation capacity;
  Attributes attributes;
  Tags tags;
};

// ---------------------------------------------------------------- listeners and rules
struct TargetGroupTuple {
  std::string target_group_arn;
  int weight = 1;  // 0–999
};

struct ForwardAction {
  std::vector<TargetGroupTuple> target_groups;
  bool stickiness_enabled = false;
  int stickiness_duration_seconds = 0;
};

struct RedirectAction {  // reference §3.3; placeholders #{protocol} #{host} #{port} #{path}
                         // #{query}
  std::string protocol = "#{protocol}";
  std::string host = "#{host}";
  std::string port = "#{port}";
  std::string path = "/#{path}";
  std::string query = "#{query}";
  int status_code = 301;  // or 302
};

struct FixedResponseAction {
  int status_code = 200;
  std::string content_type;  // empty: text/plain
  std::string message_body;
};

struct JwtClaim {
  enum class Format : std::uint8_t { single_string, string_array, space_separated_values };
  std::string name;
  Format format = Format::single_string;
  std::vector<std::string> values;  // one of them must be there
};

struct JwtValidationAction {  // reference §3.3; before a routing action, on HTTPS listeners
  std::string jwks_endpoint;  // https URL
  std::string issuer;
  std::vector<JwtClaim> additional_claims;
};

struct OidcAction {  // reference §3.3
  enum class OnUnauthenticated : std::uint8_t { authenticate, allow, deny };
  std::string issuer;
  std::string authorization_endpoint;  // https URLs
  std::string token_endpoint;
  std::string user_info_endpoint;
  std::string client_id;
  std::string client_secret;  // shown to nobody, written to the store alone
  std::string session_cookie_name = "AWSELBAuthSessionCookie";
  std::string scope = "openid";
  std::int64_t session_timeout_seconds = 604'800;
  std::map<std::string, std::string> extra_parameters;  // of the authorization request
  OnUnauthenticated on_unauthenticated = OnUnauthenticated::authenticate;
};

struct Action {
  int order = 1;
  std::variant<ForwardAction, RedirectAction, FixedResponseAction, JwtValidationAction> config;
};

enum class ConditionField : std::uint8_t {
  path_pattern,
  host_header,
  http_header,
  http_request_method,
  query_string,
  source_ip,
};

struct QueryStringPair {
  std::optional<std::string> key;
  std::string value;
  bool operator==(const QueryStringPair&) const = default;
};

struct Condition {
  ConditionField field = ConditionField::path_pattern;
  std::vector<std::string> values;        // all fields but query_string
  std::vector<std::string> regex_values;  // path_pattern, host_header, http_header
  std::string http_header_name;           // http_header
  std::vector<QueryStringPair> query;     // query_string
  bool operator==(const Condition&) const = default;
};

enum class TransformType : std::uint8_t { host_header_rewrite, url_rewrite };

// Reference §3.4; AWS has a list of rewrites, always of one.
struct Transform {
  TransformType type = TransformType::url_rewrite;
  std::string regex;
  std::string replace;  // $1, $2, …: what the groups of `regex` caught
};

// Whether clients show certificates, and what is asked of them (reference §2.5).
struct MutualAuthentication {
  std::string mode = "off";  // passthrough, verify
  std::string trust_store_arn = {};
  bool ignore_client_certificate_expiry = false;
  bool advertise_ca_names = false;  // of the trust store, to clients
  bool operator==(const MutualAuthentication&) const = default;
};

struct Listener {
  std::string arn;
  std::string load_balancer_arn;
  std::string protocol = "HTTP";
  std::uint16_t port = 80;  // as asked for
  // Where it really listens on this machine: `port`, or port + 8000 where that could not be bound.
  std::uint16_t bound_port = 0;
  std::vector<Action> default_actions;
  Attributes attributes;
  Tags tags;
  Tags default_rule_tags;
  std::string ssl_policy = {};                     // HTTPS
  std::vector<std::string> certificate_arns = {};  // HTTPS: the default one first
  MutualAuthentication mutual_authentication = {};
};

struct Rule {  // the default rule is the listener's default_actions
  std::string arn;
  std::string listener_arn;
  int priority = 1;  // 1–50000, unique per listener
  std::vector<Condition> conditions;
  std::vector<Action> actions;
  std::vector<Transform> transforms;  // at most one of each type
  Tags tags;
};

// What stickiness cookies are sealed with. Secret: shown to nobody, written to the store alone.
struct StickinessKey {
  std::string id;   // decimal number of 32 bits, in each cookie
  std::string key;  // 32 bytes in base64
  std::int64_t created_at_ms = 0;
};

// ---------------------------------------------------------------- trust stores (reference §2.5)
struct TrustStoreRevocation {
  std::int64_t id = 0;
  std::int64_t entries = 0;  // revoked certificates
  std::string bucket;        // where `content` was read from
  std::string key;
  std::string content;  // certificate revocation lists in PEM
};

struct TrustStore {
  std::string arn;
  std::string name;
  std::string bucket;  // where `bundle` was read from
  std::string key;
  std::string bundle;  // CA certificates in PEM
  std::int64_t certificates = 0;
  std::vector<TrustStoreRevocation> revocations;
  std::int64_t next_revocation_id = 1;
  Tags tags;
};

// ---------------------------------------------------------------- certificates (reference §2.4)
// The private key is secret: shown to nobody, written to the store alone.
struct Certificate {
  std::string arn;                // of ACM, or of an IAM server certificate
  std::string certificate;        // PEM
  std::string chain;              // PEM; may be empty
  std::string private_key;        // PEM
  std::string type = "IMPORTED";  // AMAZON_ISSUED
  std::string status = "ISSUED";
  // What the certificate says of itself, in the words of ACM's API.
  std::string domain_name;
  std::vector<std::string> subject_alternative_names;
  std::string subject;
  std::string issuer;
  std::string serial;
  std::string key_algorithm;        // RSA_2048, EC_prime256v1
  std::string signature_algorithm;  // SHA256WITHRSA
  std::vector<std::string> key_usages;
  std::vector<std::string> extended_key_usages;
  std::int64_t not_before_ms = 0;
  std::int64_t not_after_ms = 0;
  std::int64_t created_at_ms = 0;
  std::int64_t imported_at_ms = 0;  // the last time
  std::int64_t version = 1;         // counts the imports under this ARN
  Tags tags;
};

// ---------------------------------------------------------------- credentials
// Long-term credentials of the AWS APIs. The secret is shown once, when it is made.
struct AccessKey {
  std::string id;  // AKIA + 16 of A–Z, 2–7
  std::string secret;
  std::string name;  // what it is for, in its maker's words
  std::int64_t created_at_ms = 0;
};

// ---------------------------------------------------------------- stacks
struct StackResource {
  std::string logical_id;
  std::string physical_id;
  std::string type;    // AWS::EC2::Instance
  std::string status;  // CREATE_IN_PROGRESS, CREATE_COMPLETE, CREATE_FAILED, DELETE_…
  std::string status_reason;
  std::map<std::string, std::string> attributes;  // for Fn::GetAtt
  std::vector<std::string> depends_on;            // logical ids
  std::string properties = {};                    // resolved, as JSON: what an update compares with
};

struct StackOutput {
  std::string key;
  std::string value;
  std::string description;
};

// A stack as it was before the update that is under way: what a roll back goes back to.
struct StackVersion {
  std::string template_body;
  std::map<std::string, std::string> parameters;
  std::map<std::string, std::string> secrets;
  std::vector<StackResource> resources;
  std::vector<StackOutput> outputs;
  Tags tags;
};

struct Stack {
  std::string id;  // arn:aws:cloudformation:…:stack/<name>/<uuid>
  std::string name;
  std::string status;  // CREATE_IN_PROGRESS, CREATE_COMPLETE, ROLLBACK_…, DELETE_…
  std::string status_reason;
  std::string template_body;
  std::map<std::string, std::string> parameters;  // "****" where NoEcho
  std::map<std::string, std::string> secrets;     // of those: what tells a value from another
  std::vector<StackResource> resources;           // in order of creation
  std::vector<StackOutput> outputs;
  std::int64_t created_at_ms = 0;
  Tags tags;
  std::optional<StackVersion> before = {};    // while an update is under way
  std::vector<StackResource> discarded = {};  // replaced or no longer wanted, not removed yet
};

}  // namespace weir::model
