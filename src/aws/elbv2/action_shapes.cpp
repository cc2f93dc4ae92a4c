// Actions: reference §3.3.
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "aws/elbv2/handlers.hpp"
#include "aws/elbv2/rule_shapes.hpp"
#include "model/names.hpp"

namespace weir::aws::elbv2 {
namespace {

struct TypeAndConfig {
  std::string_view type;
  std::string_view config;
};

constexpr auto kinds = std::to_array<TypeAndConfig>({
    {"forward", "ForwardConfig"},
    {"redirect", "RedirectConfig"},
    {"fixed-response", "FixedResponseConfig"},
    {"authenticate-oidc", "AuthenticateOidcConfig"},
    {"authenticate-cognito", "AuthenticateCognitoConfig"},
    {"jwt-validation", "JwtValidationConfig"},
});

Status check_members(const Value& action, const std::string& type) {
  for (const TypeAndConfig& kind : kinds) {
    if (kind.type != type && action.has(kind.config)) {
      return refuse(fmt::format("The '{}' field is not compatible with an action of type '{}'",
                                kind.config, type));
    }
    if (kind.type == type && type != "forward" && !action.has(kind.config)) {
      return refuse(
          fmt::format("A '{}' must be specified with an action of type '{}'", kind.config, type));
    }
  }
  if (type != "forward" && action.has("TargetGroupArn")) {
    return refuse(fmt::format(
        "The 'TargetGroupArn' field is not compatible with an action of type '{}'", type));
  }
  return {};
}

Result<model::ForwardAction> forward_of(const Value& action) {
  model::ForwardAction out;
  const std::string lone = action.text("TargetGroupArn");
  const Value* config = action.find("ForwardConfig");
  if (config != nullptr) {
    for (const Value& group : config->list("TargetGroups")) {
      out.target_groups.push_back(
          {group.text("TargetGroupArn"), int_of(group, "Weight").value_or(1)});
    }
    if (const Value* sticky = config->find("TargetGroupStickinessConfig")) {
      out.stickiness_enabled = sticky->flag("Enabled").value_or(false);
      out.stickiness_duration_seconds = int_of(*sticky, "DurationSeconds").value_or(0);
    }
  }
  if (lone.empty()) return out;
  if (out.target_groups.empty()) {
    out.target_groups.push_back({lone, 1});
  } else if (out.target_groups.size() != 1 || out.target_groups[0].target_group_arn != lone) {
    return refuse(
        "You can specify both 'TargetGroupArn' and 'ForwardConfig' only if the latter has that one "
        "target group");
  }
  return out;
}

model::RedirectAction redirect_of(const Value& config) {
  model::RedirectAction out;
  out.protocol = config.text("Protocol", out.protocol);
  out.host = config.text("Host", out.host);
  out.port = config.text("Port", out.port);
  out.path = config.text("Path", out.path);
  out.query = config.text("Query", out.query);
  out.status_code = config.text("StatusCode") == "HTTP_302" ? 302 : 301;
  return out;
}

model::FixedResponseAction fixed_response_of(const Value& config) {
  model::FixedResponseAction out;
  const std::string status = config.text("StatusCode");
  std::from_chars(status.data(), status.data() + status.size(), out.status_code);
  out.content_type = config.text("ContentType");
  out.message_body = config.text("MessageBody");
  return out;
}

model::JwtValidationAction jwt_validation_of(const Value& config) {
  model::JwtValidationAction out{config.text("JwksEndpoint"), config.text("Issuer"), {}};
  for (const Value& claim : config.list("AdditionalClaims")) {
    model::JwtClaim& made = out.additional_claims.emplace_back();
    made.name = claim.text("Name");
    made.format = model::claim_format(claim.text("Format")).value_or(made.format);
    made.values = claim.texts("Values");
  }
  return out;
}

Result<model::Action> action_of(const Value& action) {
  const std::string type = action.text("Type");
  if (auto valid = check_members(action, type); !valid) return std::unexpected(valid.error());
  model::Action out;
  out.order = int_of(action, "Order").value_or(out.order);
  if (type == "redirect") {
    out.config = redirect_of(*action.find("RedirectConfig"));
  } else if (type == "fixed-response") {
    out.config = fixed_response_of(*action.find("FixedResponseConfig"));
  } else if (type == "jwt-validation") {
    out.config = jwt_validation_of(*action.find("JwtValidationConfig"));
  } else if (type == "forward") {
    auto forward = forward_of(action);
    if (!forward) return std::unexpected(forward.error());
    out.config = std::move(*forward);
  } else {
    return fail("InvalidLoadBalancerAction",
                fmt::format("Actions of type '{}' are not supported", type),
                "jwt-validation is, on HTTPS listeners.");
  }
  return out;
}

void write(const model::ForwardAction& forward, Value& out) {
  out.set("Type", "forward");
  Value::List groups;
  for (const model::TargetGroupTuple& tuple : forward.target_groups) {
    groups.push_back({{"TargetGroupArn", tuple.target_group_arn}, {"Weight", tuple.weight}});
  }
  if (forward.target_groups.size() == 1) {
    out.set("TargetGroupArn", forward.target_groups[0].target_group_arn);
  }
  Value sticky{{"Enabled", forward.stickiness_enabled}};
  if (forward.stickiness_duration_seconds != 0) {
    sticky.set("DurationSeconds", forward.stickiness_duration_seconds);
  }
  Value config;
  config.set("TargetGroups", Value(std::move(groups)));
  config.set("TargetGroupStickinessConfig", std::move(sticky));
  out.set("ForwardConfig", std::move(config));
}

void write(const model::RedirectAction& redirect, Value& out) {
  out.set("Type", "redirect");
  out.set("RedirectConfig", Value{{"Protocol", redirect.protocol},
                                  {"Port", redirect.port},
                                  {"Host", redirect.host},
                                  {"Path", redirect.path},
                                  {"Query", redirect.query},
                                  {"StatusCode", fmt::format("HTTP_{}", redirect.status_code)}});
}

void write(const model::FixedResponseAction& response, Value& out) {
  out.set("Type", "fixed-response");
  Value config{{"StatusCode", std::to_string(response.status_code)}};
  config.set_text("MessageBody", response.message_body);
  config.set_text("ContentType", response.content_type);
  out.set("FixedResponseConfig", std::move(config));
}

void write(const model::JwtValidationAction& validation, Value& out) {
  out.set("Type", "jwt-validation");
  Value config{{"JwksEndpoint", validation.jwks_endpoint}, {"Issuer", validation.issuer}};
  Value::List claims;
  for (const model::JwtClaim& claim : validation.additional_claims) {
    Value item{{"Name", claim.name}, {"Format", model::name_of(claim.format)}};
    item.set("Values", Value::list_of(claim.values));
    claims.push_back(std::move(item));
  }
  if (!claims.empty()) config.set("AdditionalClaims", Value(std::move(claims)));
  out.set("JwtValidationConfig", std::move(config));
}

}  // namespace

Result<std::vector<model::Action>> actions_of(const Value::List& actions) {
  std::vector<model::Action> out;
  for (const Value& action : actions) {
    auto made = action_of(action);
    if (!made) return std::unexpected(made.error());
    out.push_back(std::move(*made));
  }
  return out;
}

Value action_list(const std::vector<model::Action>& actions) {
  Value::List items;
  for (const model::Action& action : actions) {
    Value item;
    std::visit([&](const auto& config) { write(config, item); }, action.config);
    item.set("Order", action.order);
    items.push_back(std::move(item));
  }
  return Value(std::move(items));
}

}  // namespace weir::aws::elbv2
