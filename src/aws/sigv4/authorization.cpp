#include "aws/sigv4/authorization.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "aws/protocol/scalar.hpp"

namespace weir::aws {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view terminator = "aws4_request";
constexpr std::size_t access_key_id_length_max = 128;
constexpr std::size_t scope_part_length_max = 64;
constexpr std::size_t signed_headers_max = 64;
constexpr std::int64_t expires_seconds_max = 604'800;  // AWS: seven days

std::unexpected<Error> incomplete(std::string message) {
  return fail("IncompleteSignature", std::move(message));
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string> split(std::string_view text, char by, std::size_t parts_max) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(by);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos || parts.size() > parts_max) return parts;
    text.remove_prefix(end + 1);
  }
}

// AKID/20261124/us-east-1/ec2/aws4_request
Status read_credential(std::string_view credential, Authorization& to) {
  const auto parts = split(credential, '/', 5);
  const bool is_scope =
      parts.size() == 5 && parts[4] == terminator && parts[1].size() == 8 && is_digits(parts[1]);
  if (!is_scope || parts[0].empty() || parts[0].size() > access_key_id_length_max ||
      !is_plain(parts[0])) {
    return incomplete(
        "Credential must have exactly 5 slash-delimited elements, e.g. "
        "keyid/date/region/service/term");
  }
  for (const auto index : {2, 3}) {
    const auto& part = parts[static_cast<std::size_t>(index)];
    if (part.empty() || part.size() > scope_part_length_max || !is_plain(part))
      return incomplete("Credential should be scoped to a valid region and service");
  }
  to.access_key_id = parts[0];
  to.date = parts[1];
  to.region = parts[2];
  to.service = parts[3];
  return {};
}

Status read_signed_headers(std::string_view list, Authorization& to) {
  to.signed_headers = split(list, ';', signed_headers_max);
  const auto& names = to.signed_headers;
  const auto is_name = [](const std::string& name) {
    return !name.empty() && std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
  };
  if (names.size() > signed_headers_max || !std::ranges::all_of(names, is_name) ||
      !std::ranges::is_sorted(names)) {
    return incomplete("SignedHeaders must be lower-case names, sorted and parted by semicolons");
  }
  if (!std::ranges::binary_search(names, std::string("host")))
    return incomplete("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  return {};
}

Status read_signature(std::string_view signature, Authorization& to) {
  const bool is_hex = std::ranges::all_of(
      signature, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (signature.size() != 64 || !is_hex)
    return incomplete("Signature must be 64 lower-case hexadecimal digits");
  to.signature = signature;
  return {};
}

// 20261124T200512Z, on the day of the credential's scope.
Status check_timestamp(const Authorization& authorization) {
  const auto& time = authorization.timestamp;
  const bool is_time = time.size() == 16 && time[8] == 'T' && time[15] == 'Z' &&
                       is_digits(time.substr(0, 8)) && is_digits(time.substr(9, 6));
  if (!is_time) {
    return incomplete(
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                    "http://en.wikipedia.org/wiki/ISO_8601",
                    time.substr(0, 64)));
  }
  if (!time.starts_with(authorization.date)) {
    return fail("SignatureDoesNotMatch",
                fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                            "version of date from HTTP: '{}' != '{}', from '{}'.",
                            authorization.date, time.substr(0, 8), time));
  }
  return {};
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "Credential=…, SignedHeaders=…, Signature=…"
Result<Authorization> read_header(const HttpRequest& request, std::string_view header) {
  const auto space = header.find(' ');
  if (header.substr(0, space) != algorithm || space == std::string_view::npos) {
    return incomplete(fmt::format("Unsupported AWS 'algorithm': '{}'",
                                  header.substr(0, std::min<std::size_t>(space, 64))));
  }
  Authorization result;
  bool has_credential = false, has_headers = false, has_signature = false;
  for (const auto& part : split(header.substr(space + 1), ',', 8)) {
    const auto word = trim(part);
    const auto equals = std::min(word.find('='), word.size());
    const auto name = word.substr(0, equals);
    const auto value = word.substr(std::min(equals + 1, word.size()));
    Status read;
    if (name == "Credential" && !has_credential) {
      has_credential = true;
      read = read_credential(value, result);
    } else if (name == "SignedHeaders" && !has_headers) {
      has_headers = true;
      read = read_signed_headers(value, result);
    } else if (name == "Signature" && !has_signature) {
      has_signature = true;
      read = read_signature(value, result);
    } else {
      return incomplete("Authorization header is not 'key=value' parts parted by commas");
    }
    if (!read) return std::unexpected(read.error());
  }
  if (!has_credential) return incomplete("Authorization header requires 'Credential' parameter.");
  if (!has_signature) return incomplete("Authorization header requires 'Signature' parameter.");
  if (!has_headers) return incomplete("Authorization header requires 'SignedHeaders' parameter.");
  const auto* date = request.header("x-amz-date");
  if (date == nullptr) {
    return incomplete(
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  }
  result.timestamp = *date;
  if (const auto* token = request.header("x-amz-security-token")) result.session_token = *token;
  return result;
}

std::optional<std::string> value_of(const Parameters& parameters, std::string_view name) {
  const auto found = std::ranges::find(parameters, name, &Parameters::value_type::first);
  return found == parameters.end() ? std::nullopt : std::optional(found->second);
}

Result<Authorization> read_query(const Parameters& query) {
  const auto credential = value_of(query, "X-Amz-Credential");
  const auto date = value_of(query, "X-Amz-Date");
  const auto headers = value_of(query, "X-Amz-SignedHeaders");
  const auto signature = value_of(query, "X-Amz-Signature");
  const auto expires = value_of(query, "X-Amz-Expires");
  if (value_of(query, "X-Amz-Algorithm") != algorithm)
    return incomplete("Unsupported AWS 'algorithm' in X-Amz-Algorithm");
  if (!credential || !date || !headers || !signature) {
    return incomplete(
        "AWS query-string parameters must include X-Amz-Algorithm, X-Amz-Credential, "
        "X-Amz-Date, X-Amz-SignedHeaders and X-Amz-Signature");
  }
  Authorization result;
  result.is_presigned = true;
  result.timestamp = *date;
  result.session_token = value_of(query, "X-Amz-Security-Token").value_or("");
  result.expires_seconds = 900;
  if (expires) {
    const auto seconds = parse_integer(*expires);
    if (!seconds || *seconds < 1 || *seconds > expires_seconds_max)
      return incomplete("X-Amz-Expires must be a number of seconds from 1 to 604800");
    result.expires_seconds = *seconds;
  }
  for (const auto& read :
       {read_credential(*credential, result), read_signed_headers(*headers, result),
        read_signature(*signature, result)}) {
    if (!read) return std::unexpected(read.error());
  }
  return result;
}

}  // namespace

Result<Authorization> read_authorization(const HttpRequest& request, const Parameters& query) {
  const auto* header = request.header("authorization");
  const bool is_presigned = value_of(query, "X-Amz-Algorithm").has_value() ||
                            value_of(query, "X-Amz-Signature").has_value();
  if (header == nullptr && !is_presigned)
    return fail("MissingAuthenticationToken", "Request is missing Authentication Token");
  if (header != nullptr && is_presigned)
    return incomplete("A request is signed in its header or in its query string, not in both");
  auto result = header != nullptr ? read_header(request, *header) : read_query(query);
  if (!result) return result;
  if (auto checked = check_timestamp(*result); !checked) return std::unexpected(checked.error());
  return result;
}

}  // namespace weir::aws
