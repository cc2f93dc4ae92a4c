#include "importing/signer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>

#include "aws/server/http.hpp"
#include "aws/sigv4/authorization.hpp"
#include "aws/sigv4/signature.hpp"

namespace weir::importing {
namespace {

constexpr std::string_view service = "elasticloadbalancing";

void append_encoded(std::string& to, std::string_view text) {
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
        c == '~') {
      to.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(to), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

}  // namespace

std::string encode_form(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string form;
  for (const auto& [name, value] : parameters) {
    if (!form.empty()) form.push_back('&');
    append_encoded(form, name);
    form.push_back('=');
    append_encoded(form, value);
  }
  return form;
}

std::vector<std::pair<std::string, std::string>> signed_headers(const Settings& settings,
                                                                std::string_view host,
                                                                std::string_view path,
                                                                std::string_view body,
                                                                std::string_view timestamp) {
  aws::HttpRequest request{.method = "POST",
                           .path = std::string(path),
                           .query = {},
                           .headers = {},
                           .body = std::string(body)};
  request.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                     {"host", std::string(host)},
                     {"x-amz-date", std::string(timestamp)}};
  if (!settings.credentials.session_token.empty())
    request.headers.emplace_back("x-amz-security-token", settings.credentials.session_token);
  aws::Authorization authorization;
  authorization.access_key_id = settings.credentials.access_key_id;
  authorization.date = timestamp.substr(0, 8);
  authorization.region = settings.region;
  authorization.service = service;
  authorization.timestamp = timestamp;
  for (const auto& [name, value] : request.headers) authorization.signed_headers.push_back(name);
  const auto to_sign =
      aws::string_to_sign(authorization, aws::canonical_request(request, {}, authorization));
  request.headers.emplace_back(
      "authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}/{}/{}/aws4_request, SignedHeaders={}, "
                  "Signature={}",
                  authorization.access_key_id, authorization.date, authorization.region, service,
                  fmt::join(authorization.signed_headers, ";"),
                  aws::sign(settings.credentials.secret, authorization, to_sign)));
  return std::move(request.headers);
}

}  // namespace weir::importing
