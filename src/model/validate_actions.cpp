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

Status validate(const ForwardAction& action, std::string_view protocol) {
  return validate_forward(action, protocol);
}
Status validate(const RedirectAction& action, std::string_view protocol) {
  return validate_redirect(action, protocol);
}
Status validate(const FixedResponseAction& action, std::string_view protocol) {
  return validate_fixed_response(action, protocol);
}

}  // namespace

Status validate_actions(const std::vector<Action>& actions, std::string_view listener_protocol) {
  if (actions.empty()) return refuse("An action must be specified");
  // forward, redirect and fixed-response all end the request's routing, and there is no other.
  if (actions.size() > 1) {
    return fail("TooManyActions",
                "A rule must have exactly one forward, redirect or fixed-response action");
  }
  const Action& action = actions.front();
  if (action.order < 1 || action.order > limits::order_max) {
    return refuse(fmt::format("The order of an action must be between 1 and {}, inclusive",
                              limits::order_max));
  }
  return std::visit([&](const auto& config) { return validate(config, listener_protocol); },
                    action.config);
}

}  // namespace weir::model
