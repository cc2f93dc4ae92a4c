// The request line twice: at one glance for the usual line, and with all its oddities for the rest.
// tests/unit/http/scan_test.cpp holds that both read the same.
#include "http/request_line.hpp"

#include <array>
#include <bit>

#include "http/header_names.hpp"
#include "http/scan.hpp"

namespace weir::http {
namespace {

Method method_of(std::string_view text) {
  // Methods are case-sensitive (RFC 9110 §9.1).
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      return text == "PUT" ? Method::put : Method::other;
    case 4:
      if (text == "POST") return Method::post;
      return text == "HEAD" ? Method::head : Method::other;
    case 5:
      if (text == "PATCH") return Method::patch;
      return text == "TRACE" ? Method::trace : Method::other;
    case 6:
      return text == "DELETE" ? Method::del : Method::other;
    case 7:
      if (text == "OPTIONS") return Method::options;
      return text == "CONNECT" ? Method::connect : Method::other;
    default:
      return Method::other;
  }
}

RequestLineFindings refusal(int status, std::string_view detail, DesyncReason reason) {
  RequestLineFindings findings;
  findings.status = status;
  findings.detail = detail;
  findings.reason = reason;
  return findings;
}

// A method of visible characters that is no token still tells where it ends, so monitor mode may
// see it; anything else may be no HTTP at all (a TLS hello).
bool check_method(std::string_view text, RequestLineFindings& findings) {
  if (text.empty() || !all_in(text, is_visible)) return false;
  if (!all_in(text, in_token)) findings.method = DesyncReason::bad_method;
  return true;
}

// "HTTP/1.0" to "HTTP/1.9"; those above 1.1 are 1.1 to us (RFC 9110 §2.5).
bool check_version(std::string_view text, RequestHead& head, RequestLineFindings& findings) {
  if (!text.starts_with("HTTP/")) {
    findings = refusal(400, "malformed version", DesyncReason::bad_version);
    return false;
  }
  const std::string_view number = text.substr(5);
  const bool is_number =
      (number.size() == 1 && is_digit(number[0])) ||
      (number.size() == 3 && is_digit(number[0]) && number[1] == '.' && is_digit(number[2]));
  if (is_number && number[0] != '1') {
    findings = refusal(505, "HTTP version not supported", DesyncReason::bad_version);
    return false;
  }
  if (!is_number || number.size() != 3) {
    findings = refusal(400, "malformed version", DesyncReason::bad_version);
    return false;
  }
  head.version = number[2] == '0' ? Version::http_1_0 : Version::http_1_1;
  if (number[2] > '1') findings.version = DesyncReason::non_compliant_version;
  return true;
}

void check_target(RequestHead& head, RequestLineFindings& findings) {
  for (const char c : head.target) {
    if (is_in(c, is_control | is_space) || c == '#') {
      head.target_needs_encoding = true;
      const DesyncReason reason =
          c == ' ' ? DesyncReason::space_in_uri : DesyncReason::ambiguous_uri;
      if (desync_class_of(reason) > desync_class_of(findings.uri)) findings.uri = reason;
    }
  }
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "GET /path": HTTP/0.9, which knows no other method and no headers: the line is the request.
RequestLineFindings simple_request(RequestHead& head, RequestLineFindings findings) {
  if (head.target.starts_with("HTTP/")) {
    return refusal(400, "no request target", DesyncReason::missing_uri);
  }
  if (head.method != Method::get || !head.target.starts_with('/') ||
      !all_in(head.target, is_visible)) {
    return refusal(400, "malformed request line", DesyncReason::bad_version);
  }
  head.version = Version::http_0_9;
  findings.version = DesyncReason::non_compliant_version;
  check_target(head, findings);
  return findings;
}

}  // namespace

const char* plain_request_line(const char* at, const char* end, RequestHead& head) {
  const char* method_end = at;
  while (method_end != end && is_in(*method_end, in_token)) ++method_end;
  if (method_end == at || method_end == end || *method_end != ' ') return nullptr;
  const char* target = method_end + 1;
  const char* target_end = skip_target(target, end);
  if (target_end == target || end - target_end < 11) return nullptr;
  constexpr std::uint64_t http_1_1 =
      std::bit_cast<std::uint64_t>(std::array{'H', 'T', 'T', 'P', '/', '1', '.', '1'});
  constexpr std::uint64_t http_1_0 =
      std::bit_cast<std::uint64_t>(std::array{'H', 'T', 'T', 'P', '/', '1', '.', '0'});
  const auto version = load<std::uint64_t>(target_end + 1);
  if (*target_end != ' ' || (version != http_1_1 && version != http_1_0)) return nullptr;
  if (target_end[9] != '\r' || target_end[10] != '\n') return nullptr;
  head.method_text = {at, static_cast<std::size_t>(method_end - at)};
  head.method = method_of(head.method_text);
  head.target = {target, static_cast<std::size_t>(target_end - target)};
  head.version = version == http_1_1 ? Version::http_1_1 : Version::http_1_0;
  return target_end + 11;
}

RequestLineFindings odd_request_line(std::string_view line, RequestHead& head) {
  RequestLineFindings findings;
  const std::size_t space = line.find(' ');
  head.method_text = line.substr(0, space);
  head.method = method_of(head.method_text);
  if (!check_method(head.method_text, findings)) {
    return refusal(400, "malformed method", DesyncReason::bad_method);
  }
  std::string_view rest = space == std::string_view::npos ? "" : line.substr(space + 1);
  if ((classes_of(rest) & is_forbidden) != 0) {
    return refusal(400, "NUL or CR in the request line", DesyncReason::bad_uri);
  }
  const std::string_view trimmed = trim(rest);
  if (trimmed.empty()) return refusal(400, "no request target", DesyncReason::missing_uri);
  const std::size_t last_space = trimmed.rfind(' ');
  if (last_space == std::string_view::npos) {
    head.target = trimmed;
    return simple_request(head, findings);
  }
  if (!check_version(trimmed.substr(last_space + 1), head, findings)) return findings;
  if (rest.ends_with(' ')) findings.version = DesyncReason::non_compliant_version;
  // What follows the last space is the version, spaces around the target are no part of it, those
  // inside are, and go on as %20. Two versions: a parser that splits at the first space would see
  // another request.
  const std::string_view between = trimmed.substr(0, last_space);
  if (between.find(" HTTP/") != std::string_view::npos) {
    return refusal(400, "two versions", DesyncReason::bad_version);
  }
  head.target = trim(between);
  if (rest.starts_with(' ') || between.ends_with(' ')) findings.uri = DesyncReason::space_in_uri;
  check_target(head, findings);
  return findings;
}

}  // namespace weir::http
