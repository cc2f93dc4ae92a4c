#include "routing/response_headers.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "model/attributes.hpp"

namespace weir::routing {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> headers{{
    {"strict_transport_security", "Strict-Transport-Security"},
    {"access_control_allow_origin", "Access-Control-Allow-Origin"},
    {"access_control_allow_methods", "Access-Control-Allow-Methods"},
    {"access_control_allow_headers", "Access-Control-Allow-Headers"},
    {"access_control_allow_credentials", "Access-Control-Allow-Credentials"},
    {"access_control_expose_headers", "Access-Control-Expose-Headers"},
    {"access_control_max_age", "Access-Control-Max-Age"},
    {"content_security_policy", "Content-Security-Policy"},
    {"x_content_type_options", "X-Content-Type-Options"},
    {"x_frame_options", "X-Frame-Options"},
}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

}  // namespace

bool ResponseHeaders::replaces(std::string_view name) const {
  return std::ranges::any_of(names, [name](std::string_view ours) {
    return ours.size() == name.size() && std::ranges::equal(ours, name, {}, lower, lower);
  });
}

ResponseHeaders compile_response_headers(const model::Attributes& attributes) {
  const auto specs = model::listener_attributes();
  const std::string prefix = "routing.http.response.";
  ResponseHeaders out;
  out.has_server = model::flag_of(attributes, specs, prefix + "server.enabled");
  for (const auto& [key, name] : headers) {
    const std::string value =
        model::value_of(attributes, specs, prefix + std::string(key) + ".header_value");
    if (value.empty()) continue;
    out.lines.append(name).append(": ").append(value).append("\r\n");
    out.names.push_back(name);
  }
  return out;
}

}  // namespace weir::routing
