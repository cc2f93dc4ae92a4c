#include "aws/sigv4/signature.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/sigv4/digest.hpp"

namespace weir::aws {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

void append_encoded(std::string& to, std::string_view text, bool keeps_slash) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c) || (c == '/' && keeps_slash)) {
      to.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    to.push_back('%');
    to.push_back(digits[byte >> 4U]);
    to.push_back(digits[byte & 15U]);
  }
}

// Without empty segments, "." and ".."; encoded once more than it was sent (all services but S3).
std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> segments;
  const bool ends_in_slash = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto segment = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
  }
  std::string canonical;
  for (const auto segment : segments) {
    canonical.push_back('/');
    append_encoded(canonical, segment, false);
  }
  if (ends_in_slash || canonical.empty()) canonical.push_back('/');
  return canonical;
}

std::string canonical_query(const Parameters& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : query) {
    if (name == "X-Amz-Signature") continue;
    auto& [encoded_name, encoded_value] = encoded.emplace_back();
    append_encoded(encoded_name, name, false);
    append_encoded(encoded_value, value, false);
  }
  std::ranges::sort(encoded);
  std::string canonical;
  for (const auto& [name, value] : encoded) {
    if (!canonical.empty()) canonical.push_back('&');
    canonical.append(name).append("=").append(value);
  }
  return canonical;
}

// Without space at the ends, and one space for several.
void append_trimmed(std::string& to, std::string_view value) {
  const auto start = to.size();
  for (const char c : value) {
    const bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!is_space) {
      to.push_back(c);
    } else if (to.size() > start && to.back() != ' ') {
      to.push_back(' ');
    }
  }
  if (to.size() > start && to.back() == ' ') to.pop_back();
}

void append_header(std::string& to, const HttpRequest& request, std::string_view name) {
  to.append(name).append(":");
  bool is_first = true;
  for (const auto& [key, value] : request.headers) {
    if (key != name) continue;
    if (!is_first) to.push_back(',');
    is_first = false;
    append_trimmed(to, value);
  }
  to.push_back('\n');
}

std::string scope_of(const Authorization& authorization) {
  return fmt::format("{}/{}/{}/aws4_request", authorization.date, authorization.region,
                     authorization.service);
}

}  // namespace

std::string canonical_request(const HttpRequest& request, const Parameters& query,
                              const Authorization& authorization) {
  std::string headers;
  for (const auto& name : authorization.signed_headers) append_header(headers, request, name);
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, canonical_path(request.path),
                     canonical_query(query), headers, fmt::join(authorization.signed_headers, ";"),
                     sha256_hex(request.body));
}

std::string string_to_sign(const Authorization& authorization, std::string_view canonical) {
  return fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", authorization.timestamp,
                     scope_of(authorization), sha256_hex(canonical));
}

std::string sign(std::string_view secret, const Authorization& authorization,
                 std::string_view to_sign) {
  auto key = hmac_sha256(fmt::format("AWS4{}", secret), authorization.date);
  key = hmac_sha256(key, authorization.region);
  key = hmac_sha256(key, authorization.service);
  key = hmac_sha256(key, "aws4_request");
  return hex(hmac_sha256(key, to_sign));
}

}  // namespace weir::aws
