// AWS::ElasticLoadBalancingV2 properties as inputs of control::Elb.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "control/regular_expressions.hpp"
#include "model/attributes.hpp"
#include "model/names.hpp"
#include "model/ssl_policies.hpp"
#include "model/validate.hpp"
#include "stacks/convert.hpp"

namespace weir::stacks {

namespace {

// What is not known yet cannot be judged; its turn comes when it is.
void note(const Status& valid, const Value& value, const Site& site, std::string_view name) {
  if (valid || value.has_unknown()) return;
  std::string message = valid.error().message;
  if (!valid.error().hint.empty()) message += " (" + valid.error().hint + ")";
  site.diagnostics.add(value.mark, fmt::format("{}.{}", site.path, name), std::move(message));
}

model::Attributes to_attributes(const Value& properties, std::string_view name, const Site& site) {
  model::Attributes attributes;
  for (const Value& item : Members(properties).items(name)) {
    const Members pair(item);
    // YAML reads an unquoted on as a boolean; the API knows the words that it knows.
    if (!attributes.emplace(pair.text("Key"), pair.text("Value")).second) {
      site.diagnostics.add(item.mark, fmt::format("{}.{}", site.path, name),
                           fmt::format("the attribute {} is given twice", pair.text("Key")));
    }
  }
  return attributes;
}

template <typename Validate>
void check_attributes(const model::Attributes& attributes, const Value& properties,
                      std::string_view name, const Site& site, Validate validate) {
  const Value* list = properties.find(name);
  if (list != nullptr) note(validate(attributes), *list, site, name);
}

// ---------------------------------------------------------------- actions
model::ForwardAction to_forward(const Members& action, const Site& site) {
  model::ForwardAction forward;
  const std::string lone = action.text("TargetGroupArn");
  const Value* config = action.find("ForwardConfig");
  if (config != nullptr) {
    const Members members(*config);
    for (const Value& item : members.items("TargetGroups")) {
      const Members tuple(item);
      forward.target_groups.push_back({tuple.text("TargetGroupArn"), tuple.integer("Weight", 1)});
    }
    if (const Value* stickiness = members.find("TargetGroupStickinessConfig")) {
      forward.stickiness_enabled = Members(*stickiness).boolean("Enabled", false);
      forward.stickiness_duration_seconds = Members(*stickiness).integer("DurationSeconds", 0);
    }
  }
  if (lone.empty()) return forward;
  if (config == nullptr) {
    forward.target_groups.push_back({lone, 1});
    return forward;
  }
  // Both are taken where they name the same single group; what is not known yet may well.
  const bool is_known = !config->has_unknown() && !action.find("TargetGroupArn")->has_unknown();
  const bool is_same = forward.target_groups.size() == 1 &&
                       (!is_known || forward.target_groups.front().target_group_arn == lone);
  if (!is_same) {
    site.diagnostics.add(action.mark(), site.path,
                         "give TargetGroupArn or ForwardConfig, not both");
  }
  return forward;
}

model::RedirectAction to_redirect(const Value& config) {
  const Members members(config);
  model::RedirectAction redirect;
  redirect.protocol = members.text("Protocol", redirect.protocol);
  redirect.host = members.text("Host", redirect.host);
  redirect.port = members.text("Port", redirect.port);
  redirect.path = members.text("Path", redirect.path);
  redirect.query = members.text("Query", redirect.query);
  redirect.status_code = members.text("StatusCode") == "HTTP_302" ? 302 : 301;
  return redirect;
}

model::FixedResponseAction to_fixed_response(const Value& config) {
  const Members members(config);
  return {members.integer("StatusCode", 200), members.text("ContentType"),
          members.text("MessageBody")};
}

model::JwtValidationAction to_jwt_validation(const Value& config) {
  const Members members(config);
  model::JwtValidationAction validation{members.text("JwksEndpoint"), members.text("Issuer"), {}};
  for (const Value& item : members.items("AdditionalClaims")) {
    const Members claim(item);
    model::JwtClaim& made = validation.additional_claims.emplace_back();
    made.name = claim.text("Name");
    made.format = model::claim_format(claim.text("Format")).value_or(made.format);
    made.values = claim.texts("Values");
  }
  return validation;
}

// The member that holds an action's particulars must be that of its type.
void check_action_members(const Members& action, const std::string& type, const Site& site) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> owners{{
      {"TargetGroupArn", "forward"},
      {"ForwardConfig", "forward"},
      {"RedirectConfig", "redirect"},
      {"FixedResponseConfig", "fixed-response"},
      {"JwtValidationConfig", "jwt-validation"},
  }};
  for (const auto& [member, owner] : owners) {
    if (action.has(member) && owner != type) {
      site.diagnostics.add(
          action.mark(), site.path,
          fmt::format("{} is for actions of type {}, not {}", member, owner, type));
    }
  }
}

model::Action to_action(const Value& value, const Site& site) {
  const Members members(value);
  const std::string type = members.text("Type");
  model::Action action;
  action.order = members.integer("Order", 1);
  check_action_members(members, type, site);
  const auto config_of = [&](std::string_view name) -> const Value* {
    const Value* config = members.find(name);
    if (config == nullptr) {
      site.diagnostics.add(value.mark, site.path, fmt::format("{} is required", name));
    }
    return config;
  };
  if (type == "redirect") {
    if (const Value* config = config_of("RedirectConfig")) action.config = to_redirect(*config);
  } else if (type == "fixed-response") {
    if (const Value* config = config_of("FixedResponseConfig")) {
      action.config = to_fixed_response(*config);
    }
  } else if (type == "jwt-validation") {
    if (const Value* config = config_of("JwtValidationConfig")) {
      action.config = to_jwt_validation(*config);
    }
  } else {
    action.config = to_forward(members, site);
  }
  return action;
}

std::vector<model::Action> to_actions(const Value& properties, std::string_view name,
                                      const Site& site) {
  std::vector<model::Action> actions;
  for (const Value& item : Members(properties).items(name)) {
    actions.push_back(to_action(
        item, {fmt::format("{}.{}[{}]", site.path, name, actions.size()), site.diagnostics}));
  }
  return actions;
}

void check_actions(const std::vector<model::Action>& actions, const Value& properties,
                   std::string_view name, std::size_t faults_before, const Site& site) {
  const Value* list = properties.find(name);
  if (list == nullptr || list->is_unknown() || site.diagnostics.size() != faults_before) return;
  // Target groups are known later as a rule, and any stands for any.
  for (const Value& action : list->items) {
    for (const std::string_view member :
         {"RedirectConfig", "FixedResponseConfig", "JwtValidationConfig"}) {
      const Value* config = action.find(member);
      if (config != nullptr && config->has_unknown()) return;
    }
  }
  // The listener's protocol is known later, and refuses what it cannot have.
  const bool has_all_routing = std::ranges::all_of(actions, model::is_routing_action);
  if (const Status valid = model::validate_actions(actions, has_all_routing ? "HTTP" : "HTTPS");
      !valid) {
    site.diagnostics.add(list->mark, fmt::format("{}.{}", site.path, name), valid.error().message);
  }
}

// ---------------------------------------------------------------- conditions
struct ConditionConfig {
  std::string_view member;
  std::string_view field;
};

constexpr std::array<ConditionConfig, 6> condition_configs{{
    {"HostHeaderConfig", "host-header"},
    {"HttpHeaderConfig", "http-header"},
    {"HttpRequestMethodConfig", "http-request-method"},
    {"PathPatternConfig", "path-pattern"},
    {"QueryStringConfig", "query-string"},
    {"SourceIpConfig", "source-ip"},
}};

void read_config(model::Condition& condition, const Value& config) {
  const Members members(config);
  condition.http_header_name = members.text("HttpHeaderName");
  if (condition.field != model::ConditionField::query_string) {
    condition.values = members.texts("Values");
    condition.regex_values = members.texts("RegexValues");
    return;
  }
  for (const Value& item : members.items("Values")) {
    const Members pair(item);
    model::QueryStringPair query;
    if (pair.has("Key")) query.key = pair.text("Key");
    query.value = pair.text("Value");
    condition.query.push_back(std::move(query));
  }
}

// The field is given, or said by the one config that there is.
std::string field_of(const Members& members) {
  if (members.has("Field")) return members.text("Field");
  for (const ConditionConfig& config : condition_configs) {
    if (members.has(config.member)) return std::string(config.field);
  }
  return {};
}

model::Condition to_condition(const Value& value, const Site& site) {
  const Members members(value);
  model::Condition condition;
  const std::string name = field_of(members);
  const auto field = model::condition_field(name);
  if (!field) {
    site.diagnostics.add(value.mark, site.path, "Field is required");
    return condition;
  }
  condition.field = *field;
  bool has_config = false;
  for (const ConditionConfig& config : condition_configs) {
    const Value* member = members.find(config.member);
    if (member == nullptr) continue;
    if (config.field != name) {
      site.diagnostics.add(
          value.mark, site.path,
          fmt::format("{} is for the field {}, not {}", config.member, config.field, name));
      continue;
    }
    has_config = true;
    read_config(condition, *member);
  }
  const bool has_values = members.has("Values") || members.has("RegexValues");
  if (!has_values) return condition;
  if (has_config) {
    site.diagnostics.add(value.mark, site.path,
                         fmt::format("give Values or the {} config, not both", name));
  } else if (name != "path-pattern" && name != "host-header") {
    site.diagnostics.add(value.mark, site.path,
                         fmt::format("Values alone are for path-pattern and host-header; {} needs "
                                     "its config",
                                     name));
  }
  condition.values = members.texts("Values");
  condition.regex_values = members.texts("RegexValues");
  return condition;
}

// ---------------------------------------------------------------- transforms
model::Transform to_transform(const Value& value, const Site& site) {
  const Members members(value);
  const std::string type = members.text("Type");
  model::Transform transform;
  transform.type = model::transform_type(type).value_or(transform.type);
  const bool is_host = transform.type == model::TransformType::host_header_rewrite;
  const std::string_view wanted = is_host ? "HostHeaderRewriteConfig" : "UrlRewriteConfig";
  const std::string_view other = is_host ? "UrlRewriteConfig" : "HostHeaderRewriteConfig";
  if (members.has(other)) {
    site.diagnostics.add(value.mark, site.path,
                         fmt::format("{} is not for transforms of type {}", other, type));
  }
  const Value* config = members.find(wanted);
  if (config == nullptr) {
    site.diagnostics.add(value.mark, site.path, fmt::format("{} is required", wanted));
    return transform;
  }
  const std::vector<Value>& rewrites = Members(*config).items("Rewrites");
  if (rewrites.size() != 1 && !config->has_unknown()) {
    site.diagnostics.add(config->mark, fmt::format("{}.{}", site.path, wanted),
                         "give exactly one rewrite");
  }
  if (rewrites.empty()) return transform;
  transform.regex = Members(rewrites.front()).text("Regex");
  transform.replace = Members(rewrites.front()).text("Replace");
  return transform;
}

std::vector<model::Transform> to_transforms(const Value& properties, const Site& site) {
  std::vector<model::Transform> transforms;
  for (const Value& item : Members(properties).items("Transforms")) {
    transforms.push_back(to_transform(
        item, {fmt::format("{}.Transforms[{}]", site.path, transforms.size()), site.diagnostics}));
  }
  return transforms;
}

// What is said of a rule's conditions and transforms as a whole, expressions included.
void check_rule(const control::CreateRuleInput& input, const Value& properties, const Site& site) {
  if (const Value* conditions = properties.find("Conditions"); conditions != nullptr) {
    Status valid = model::validate_conditions(input.conditions);
    if (valid) valid = control::check_regular_expressions(input.conditions);
    note(valid, *conditions, site, "Conditions");
  }
  if (const Value* transforms = properties.find("Transforms"); transforms != nullptr) {
    Status valid = model::validate_transforms(input.transforms, input.actions);
    if (valid) valid = control::check_transforms(input.transforms);
    note(valid, *transforms, site, "Transforms");
  }
}

// ---------------------------------------------------------------- TLS
std::vector<std::string> to_certificate_arns(const Value& properties) {
  std::vector<std::string> out;
  for (const Value& item : Members(properties).items("Certificates"))
    out.push_back(Members(item).text("CertificateArn"));
  return out;
}

control::ListenerSecurity to_security(const Value& properties) {
  const Members members(properties);
  control::ListenerSecurity out;
  if (members.has("SslPolicy")) out.ssl_policy = members.text("SslPolicy");
  if (members.has("Certificates")) out.certificate_arns = to_certificate_arns(properties);
  if (const Value* mutual = members.find("MutualAuthentication")) {
    const Members of(*mutual);
    out.mutual_authentication = model::MutualAuthentication{
        .mode = of.text("Mode", "off"),
        .trust_store_arn = of.text("TrustStoreArn"),
        .ignore_client_certificate_expiry = of.boolean("IgnoreClientCertificateExpiry", false),
        .advertise_ca_names = of.text("AdvertiseTrustStoreCaNames") == "on"};
  }
  return out;
}

// What the template alone shows; that the certificates exist, their turn shows.
void check_security(const control::CreateListenerInput& input, const Value& properties,
                    const Site& site) {
  const Value* policy = properties.find("SslPolicy");
  if (policy != nullptr && !policy->has_unknown() &&
      model::find_ssl_policy(*input.security.ssl_policy) == nullptr) {
    site.diagnostics.add(policy->mark, site.path + ".SslPolicy",
                         fmt::format("there is no SSL policy {}", *input.security.ssl_policy));
  }
  const Value* protocol = properties.find("Protocol");
  if (protocol == nullptr || protocol->has_unknown() || input.protocol != "HTTPS") return;
  if (properties.find("Certificates") == nullptr) {
    site.diagnostics.add(protocol->mark, site.path + ".Protocol",
                         "an HTTPS listener needs Certificates with one CertificateArn");
  }
}

}  // namespace

ListenerCertificateInputs to_listener_certificate(const Value& properties, const Site&) {
  return {Members(properties).text("ListenerArn"), to_certificate_arns(properties)};
}

control::CreateListenerInput to_listener(const Value& properties, const Site& site) {
  const std::size_t faults = site.diagnostics.size();
  const Members members(properties);
  control::CreateListenerInput input;
  input.load_balancer_arn = members.text("LoadBalancerArn");
  input.protocol = members.text("Protocol", "HTTP");
  input.port = members.integer("Port", 80);
  input.default_actions = to_actions(properties, "DefaultActions", site);
  input.attributes = to_attributes(properties, "ListenerAttributes", site);
  input.security = to_security(properties);
  check_security(input, properties, site);
  check_actions(input.default_actions, properties, "DefaultActions", faults, site);
  check_attributes(input.attributes, properties, "ListenerAttributes", site,
                   model::validate_listener_attributes);
  return input;
}

control::CreateRuleInput to_rule(const Value& properties, const Site& site) {
  const std::size_t faults = site.diagnostics.size();
  const Members members(properties);
  control::CreateRuleInput input;
  input.listener_arn = members.text("ListenerArn");
  input.priority = members.integer("Priority", 0);
  for (const Value& item : members.items("Conditions")) {
    input.conditions.push_back(to_condition(
        item,
        {fmt::format("{}.Conditions[{}]", site.path, input.conditions.size()), site.diagnostics}));
  }
  input.actions = to_actions(properties, "Actions", site);
  check_actions(input.actions, properties, "Actions", faults, site);
  input.transforms = to_transforms(properties, site);
  if (site.diagnostics.size() == faults) check_rule(input, properties, site);
  return input;
}

namespace {

model::HealthCheck to_health_check(const Members& members) {
  model::HealthCheck check;
  check.enabled = members.boolean("HealthCheckEnabled", check.enabled);
  check.protocol = members.text("HealthCheckProtocol", check.protocol);
  check.port = members.text("HealthCheckPort", check.port);
  check.path = members.text("HealthCheckPath", check.path);
  check.timeout_seconds = members.integer("HealthCheckTimeoutSeconds", check.timeout_seconds);
  check.interval_seconds = members.integer("HealthCheckIntervalSeconds", check.interval_seconds);
  check.healthy_threshold = members.integer("HealthyThresholdCount", check.healthy_threshold);
  check.unhealthy_threshold = members.integer("UnhealthyThresholdCount", check.unhealthy_threshold);
  if (const Value* matcher = members.find("Matcher")) {
    check.http_codes = Members(*matcher).text("HttpCode", check.http_codes);
  }
  return check;
}

}  // namespace

TargetGroupInputs to_target_group(const Value& properties, const Site& site) {
  const Members members(properties);
  TargetGroupInputs inputs;
  control::CreateTargetGroupInput& create = inputs.create;
  create.name = members.text("Name");
  create.target_type = members.text("TargetType", create.target_type);
  create.protocol = members.text("Protocol", create.protocol);
  create.protocol_version = members.text("ProtocolVersion", create.protocol_version);
  create.ip_address_type = members.text("IpAddressType", create.ip_address_type);
  create.vpc_id = members.text("VpcId");
  create.health_check = to_health_check(members);
  create.attributes = to_attributes(properties, "TargetGroupAttributes", site);
  create.tags = to_tags(properties, site);
  if (members.has("Port")) {
    create.port = members.integer("Port", 80);
  } else {
    site.diagnostics.add(properties.mark, site.path, "Port is required");
  }
  for (const Value& item : members.items("Targets")) {
    const Members target(item);
    control::TargetDescription& description = inputs.targets.emplace_back();
    description.id = target.text("Id");
    description.zone = target.text("AvailabilityZone");
    if (target.has("Port")) description.port = target.integer("Port", 80);
  }
  bool is_known = true;
  for (std::size_t i = 0; i < properties.keys.size(); ++i) {
    const std::string& key = properties.keys[i].text;
    const bool is_of_check = key.starts_with("Health") || key.starts_with("Unhealthy") ||
                             key == "Matcher" || key == "TargetType";
    is_known = is_known && !(is_of_check && properties.items[i].has_unknown());
  }
  if (const Status valid = model::validate_health_check(create.health_check, create.target_type);
      !valid && is_known) {
    site.diagnostics.add(properties.mark, site.path, valid.error().message);
  }
  check_attributes(create.attributes, properties, "TargetGroupAttributes", site,
                   [&](const model::Attributes& attributes) {
                     return model::validate_target_group_attributes(attributes, create.target_type);
                   });
  return inputs;
}

control::CreateLoadBalancerInput to_load_balancer(const Value& properties, const Site& site) {
  const Members members(properties);
  control::CreateLoadBalancerInput input;
  input.name = members.text("Name");
  input.scheme = members.text("Scheme", input.scheme);
  input.ip_address_type = members.text("IpAddressType", input.ip_address_type);
  input.subnet_ids = members.texts("Subnets");
  input.security_group_ids = members.texts("SecurityGroups");
  input.attributes = to_attributes(properties, "LoadBalancerAttributes", site);
  input.tags = to_tags(properties, site);
  if (members.has("Subnets") == members.has("SubnetMappings")) {
    site.diagnostics.add(properties.mark, site.path, "give one of Subnets and SubnetMappings");
  }
  for (const Value& item : members.items("SubnetMappings")) {
    input.subnet_ids.push_back(Members(item).text("SubnetId"));
  }
  check_attributes(input.attributes, properties, "LoadBalancerAttributes", site,
                   model::validate_load_balancer_attributes);
  return input;
}

}  // namespace weir::stacks
