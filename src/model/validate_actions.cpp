// Actions of rules: reference §3.1, §3.3.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "model/limits.hpp"
#include "model/validate.hpp"

namespace weir::model {
namespace {

constexpr std::array<std::string_view, 5> content_types = {
    "text/html", "application/json", "application/javascript", "text/css", "text/plain"};

std::unexpected<Error> refuse(std::string message) {
  return fail("ValidationError", std::move(message));
}

Status validate_forward(const ForwardAction& forward, std::string_view) {
  if (forward.target_groups.empty()) return refuse("A target group must be specified");
  if (forward.target_groups.size() > limits::target_groups_per_forward_max) {
    return fail("TooManyTargetGroups",
                fmt::format("A forward action can have at most '{}' target groups, but '{}' were "
                            "specified",
                            limits::target_groups_per_forward_max, forward.target_groups.size()));
  }
  std::set<std::string_view> seen;
  for (const TargetGroupTuple& tuple : forward.target_groups) {
    if (tuple.weight < 0 || tuple.weight > limits::weight_max) {
      return refuse("The weight for each target group must be between 0 and 999, inclusive");
    }
    if (!seen.insert(tuple.target_group_arn).second) {
      return refuse(
          fmt::format("The target group '{}' is listed more than once", tuple.target_group_arn));
    }
  }
  if (forward.stickiness_enabled &&
      (forward.stickiness_duration_seconds < 1 ||
       forward.stickiness_duration_seconds > limits::stickiness_seconds_max)) {
    return refuse(fmt::format(
        "The target group stickiness duration must be between 1 and {} seconds, inclusive",
        limits::stickiness_seconds_max));
  }
  return {};
}

// `text` with every occurrence of the placeholders in `allowed` taken out; what is left may hold
// no other one.
Status validate_placeholders(std::string_view member, std::string text,
                             std::initializer_list<std::string_view> allowed) {
  for (const std::string_view placeholder : allowed) {
    for (std::size_t at = 0; (at = text.find(placeholder, at)) != std::string::npos;) {
      text.erase(at, placeholder.size());
    }
  }
  if (text.find("#{") != std::string::npos) {
    return refuse(fmt::format("The redirect {} holds a placeholder that it cannot have", member));
  }
  return {};
}

Status validate_redirect_text(std::string_view member, const std::string& text) {
  if (text.size() > limits::redirect_text_chars_max) {
    return refuse(fmt::format("The redirect {} is too long; the limit is '{}'", member,
                              limits::redirect_text_chars_max));
  }
  // A space or a line break would end up in the Location header.
  if (!std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; })) {
    return refuse(fmt::format("The redirect {} may only contain visible ASCII characters", member));
  }
  return {};
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.front() == '0' ||
      !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    return false;
  }
  return std::stoi(std::string(text)) <= 65'535;
}

Status validate_redirect_members(const RedirectAction& redirect) {
  if (redirect.protocol != "HTTP" && redirect.protocol != "HTTPS" &&
      redirect.protocol != "#{protocol}") {
    return refuse(
        fmt::format("1 validation error detected: Value '{}' at "
                    "'actions.1.member.redirectConfig.protocol' failed to satisfy "
                    "constraint: Member must satisfy regular expression pattern: "
                    "^(HTTPS?|#\\{{protocol\\}})$",
                    redirect.protocol));
  }
  if (redirect.port != "#{port}" && !is_port(redirect.port)) {
    return refuse(
        fmt::format("The redirect port '{}' must be 1-65535 or #{{port}}", redirect.port));
  }
  if (redirect.host.empty() || redirect.host.find('%') != std::string::npos) {
    return refuse("The redirect host must have 1 to 128 characters and no percent-encoding");
  }
  if (!redirect.path.starts_with('/')) {
    return refuse(fmt::format("The redirect path '{}' must start with '/'", redirect.path));
  }
  if (redirect.query.find('?') != std::string::npos) {
    return refuse("The redirect query must not contain '?'");
  }
  if (redirect.status_code != 301 && redirect.status_code != 302) {
    return refuse(
        fmt::format("1 validation error detected: Value 'HTTP_{}' at "
                    "'actions.1.member.redirectConfig.statusCode' failed to satisfy "
                    "constraint: Member must satisfy enum value set: "
                    "[HTTP_301, HTTP_302]",
                    redirect.status_code));
  }
  return {};
}

Status validate_redirect(const RedirectAction& redirect, std::string_view listener_protocol) {
  const std::pair<std::string_view, const std::string*> texts[] = {
      {"host", &redirect.host}, {"path", &redirect.path}, {"query", &redirect.query}};
  for (const auto& [member, text] : texts) {
    if (auto valid = validate_redirect_text(member, *text); !valid) return valid;
  }
  if (auto valid = validate_redirect_members(redirect); !valid) return valid;
  if (auto valid = validate_placeholders("host", redirect.host, {"#{host}"}); !valid) return valid;
  if (auto valid = validate_placeholders("path", redirect.path, {"#{host}", "#{port}", "#{path}"});
      !valid) {
    return valid;
  }
  if (auto valid = validate_placeholders(
          "query", redirect.query, {"#{protocol}", "#{host}", "#{port}", "#{path}", "#{query}"});
      !valid) {
    return valid;
  }
  if (listener_protocol == "HTTPS" && redirect.protocol == "HTTP") {
    return fail("InvalidLoadBalancerAction", "A redirect from HTTPS to HTTP is not allowed");
  }
  if (redirect.protocol == "#{protocol}" && redirect.host == "#{host}" &&
      redirect.port == "#{port}" && redirect.path == "/#{path}") {
    return fail("InvalidLoadBalancerAction",
                "The redirect would loop: it must change at least one of protocol, host, port and "
                "path");
  }
  return {};
}

Status validate_fixed_response(const FixedResponseAction& response, std::string_view) {
  const int hundreds = response.status_code / 100;
  if (hundreds != 2 && hundreds != 4 && hundreds != 5) {
    return refuse(
        fmt::format("1 validation error detected: Value '{}' at "
                    "'actions.1.member.fixedResponseConfig.statusCode' failed to satisfy "
                    "constraint: Member must satisfy regular expression pattern: "
                    "^(2|4|5)\\d\\d$",
                    response.status_code));
  }
  if (!response.content_type.empty() &&
      std::ranges::find(content_types, response.content_type) == content_types.end()) {
    return fail("InvalidLoadBalancerAction",
                "The ContentType must be one of:'text/html', 'application/json', "
                "'application/javascript', 'text/css', 'text/plain'");
  }
  if (!is_valid_utf8(response.message_body) ||
      chars_of(response.message_body) > limits::message_body_chars_max) {
    return refuse(
        fmt::format("The fixed-response MessageBody must be UTF-8 text of at most '{}' "
                    "characters",
                    limits::message_body_chars_max));
  }
  return {};
}

bool is_visible_ascii(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

Status validate_endpoint(std::string_view member, const std::string& url) {
  constexpr std::string_view scheme = "https://";
  const std::string rest = url.starts_with(scheme) ? url.substr(scheme.size()) : std::string();
  if (rest.empty() || rest.front() == '/' || rest.find_first_of("@#") != std::string::npos ||
      !is_visible_ascii(url)) {
    return refuse(fmt::format(
        "The {} '{}' must be a full URL, including the HTTPS protocol, the domain, and the path",
        member, url));
  }
  if (url.size() > limits::provider_text_chars_max) {
    return refuse(fmt::format("The {} is too long; the limit is '{}'", member,
                              limits::provider_text_chars_max));
  }
  return {};
}

Status validate_claim(const JwtClaim& claim) {
  constexpr std::array<std::string_view, 4> validated_always = {"exp", "iss", "nbf", "iat"};
  if (claim.name.empty() || claim.name.size() > limits::provider_text_chars_max) {
    return refuse(fmt::format("The name of an additional claim must have 1 to {} characters",
                              limits::provider_text_chars_max));
  }
  if (std::ranges::find(validated_always, claim.name) != validated_always.end()) {
    return refuse(
        fmt::format("The claim '{}' cannot be an additional claim: it is validated by "
                    "default",
                    claim.name));
  }
  if (claim.values.empty() || claim.values.size() > limits::values_per_claim_max) {
    return refuse(fmt::format("The claim '{}' must have 1 to {} values", claim.name,
                              limits::values_per_claim_max));
  }
  for (const std::string& value : claim.values) {
    if (value.empty() || value.size() > limits::provider_text_chars_max) {
      return refuse(fmt::format("A value of the claim '{}' must have 1 to {} characters",
                                claim.name, limits::provider_text_chars_max));
    }
    if (claim.format == JwtClaim::Format::space_separated_values && value.contains(' ')) {
      return refuse(fmt::format("A value of the claim '{}' cannot include spaces", claim.name));
    }
  }
  return {};
}

Status validate_jwt_validation(const JwtValidationAction& action) {
  if (auto valid = validate_endpoint("JwksEndpoint", action.jwks_endpoint); !valid) return valid;
  if (action.issuer.empty() || action.issuer.size() > limits::provider_text_chars_max) {
    return refuse(
        fmt::format("The Issuer must have 1 to {} characters", limits::provider_text_chars_max));
  }
  if (action.additional_claims.size() > limits::additional_claims_max) {
    return refuse(fmt::format("An action can have at most '{}' additional claims",
                              limits::additional_claims_max));
  }
  for (const JwtClaim& claim : action.additional_claims) {
    if (auto valid = validate_claim(claim); !valid) return valid;
  }
  return {};
}

Status validate(const ForwardAction& action, std::string_view protocol) {
  return validate_forward(action, protocol);
}
Status validate(const RedirectAction& action, std::string_view protocol) {
  return validate_redirect(action, protocol);
}
Status validate(const FixedResponseAction& action, std::string_view protocol) {
  return validate_fixed_response(action, protocol);
}
Status validate(const JwtValidationAction& action, std::string_view protocol) {
  if (protocol != "HTTPS") {
    return fail("InvalidLoadBalancerAction",
                "Actions of type 'jwt-validation' are only supported with HTTPS listeners");
  }
  return validate_jwt_validation(action);
}

// One routing action, the last; before it at most one that authenticates.
Status validate_sequence(const std::vector<Action>& actions) {
  const auto routing = std::ranges::count_if(actions, is_routing_action);
  if (routing > 1 || static_cast<std::size_t>(routing) + 1 < actions.size()) {
    return fail("TooManyActions",
                "A rule must have exactly one forward, redirect or fixed-response action, and at "
                "most one that authenticates");
  }
  if (actions.size() == 2 && actions[0].order == actions[1].order) {
    return refuse("Each action of a rule must have an 'Order' of its own");
  }
  const auto last = std::ranges::max_element(actions, {}, &Action::order);
  if (routing == 0 || !is_routing_action(*last)) {
    return fail("InvalidLoadBalancerAction",
                "The last action of a rule must be forward, redirect or fixed-response");
  }
  return {};
}

}  // namespace

bool is_routing_action(const Action& action) {
  return !std::holds_alternative<JwtValidationAction>(action.config);
}

Status validate_actions(const std::vector<Action>& actions, std::string_view listener_protocol) {
  if (actions.empty()) return refuse("An action must be specified");
  if (auto valid = validate_sequence(actions); !valid) return valid;
  for (const Action& action : actions) {
    if (action.order < 1 || action.order > limits::order_max) {
      return refuse(fmt::format("The order of an action must be between 1 and {}, inclusive",
                                limits::order_max));
    }
    const Status valid = std::visit(
        [&](const auto& config) { return validate(config, listener_protocol); }, action.config);
    if (!valid) return valid;
  }
  return {};
}

}  // namespace weir::model
