#include "compute/metadata_service.hpp"

#include <fmt/core.h>
#include <strings.h>

#include <algorithm>
#include <charconv>

#include "base/ids.hpp"
#include "http/own_response.hpp"
#include "http/writer.hpp"

namespace weir::compute {
namespace {

constexpr std::string_view token_path = "/latest/api/token";
constexpr std::string_view token_header = "X-aws-ec2-metadata-token";
constexpr std::string_view ttl_header = "X-aws-ec2-metadata-token-ttl-seconds";
constexpr std::size_t token_digits = 56;

bool is_same_name(std::string_view left, std::string_view right) {
  return left.size() == right.size() && ::strncasecmp(left.data(), right.data(), left.size()) == 0;
}

const http::Header* find(const http::RequestHead& request, std::string_view name) {
  const auto found = std::ranges::find_if(
      request.headers, [&](const http::Header& header) { return is_same_name(header.name, name); });
  return found == request.headers.end() ? nullptr : &*found;
}

std::optional<int> parse_ttl(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  if (!is_number || value < 1 || value > MetadataTokens::ttl_seconds_max) return std::nullopt;
  return value;
}

// Comparing takes the same time wherever the texts differ.
bool is_same_token(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  unsigned difference = 0;
  for (std::size_t at = 0; at < left.size(); ++at) {
    difference |= static_cast<unsigned char>(left[at]) ^ static_cast<unsigned char>(right[at]);
  }
  return difference == 0;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Keys of tags may hold characters that clients escape. Nothing: malformed.
std::optional<std::string> unescape(std::string_view path) {
  std::string out;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (path[at] != '%') {
      out += path[at];
      continue;
    }
    const int high = at + 2 < path.size() ? hex_value(path[at + 1]) : -1;
    const int low = high >= 0 ? hex_value(path[at + 2]) : -1;
    if (low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return out;
}

MetadataResponse status_only(int status) {
  MetadataResponse response;
  response.answer = {status,
                     fmt::format("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html><head>"
                                 "<title>{0} - {1}</title></head><body><h1>{0} - {1}</h1></body>"
                                 "</html>\n",
                                 status, http::reason_phrase(status)),
                     "text/html"};
  return response;
}

MetadataResponse issue_token(MetadataTokens& tokens, const http::RequestHead& request,
                             std::int64_t now_ms) {
  if (request.path != token_path || find(request, "X-Forwarded-For") != nullptr) {
    return status_only(403);
  }
  const http::Header* wanted = find(request, ttl_header);
  const auto ttl = wanted != nullptr ? parse_ttl(wanted->value) : std::nullopt;
  if (!ttl) return status_only(400);
  MetadataResponse response;
  response.answer = {200, tokens.issue(*ttl, now_ms), "text/plain"};
  response.token_ttl_seconds = *ttl;
  return response;
}

MetadataResponse read_item(const MetadataDocument& document, const MetadataTokens& tokens,
                           const http::RequestHead& request, std::int64_t now_ms) {
  const http::Header* token = find(request, token_header);
  if (token == nullptr && document.tokens_required) return status_only(401);
  std::optional<std::int64_t> left;
  if (token != nullptr) {
    left = tokens.seconds_left(token->value, now_ms);
    if (!left) return status_only(401);
  }
  const auto path = unescape(request.path);
  if (!path) return status_only(400);
  MetadataResponse response;
  response.answer = answer_metadata(document, *path);
  response.token_ttl_seconds = left;
  return response;
}

}  // namespace

std::string MetadataTokens::issue(int ttl_seconds, std::int64_t now_ms) {
  std::erase_if(tokens_, [&](const Token& token) { return token.expires_ms <= now_ms; });
  if (tokens_.size() >= tokens_max) {
    tokens_.erase(std::ranges::min_element(tokens_, {}, &Token::expires_ms));
  }
  tokens_.push_back({random_hex(token_digits), now_ms + std::int64_t{1000} * ttl_seconds});
  return tokens_.back().text;
}

std::optional<std::int64_t> MetadataTokens::seconds_left(std::string_view token,
                                                         std::int64_t now_ms) const {
  for (const Token& known : tokens_) {
    if (known.expires_ms > now_ms && is_same_token(known.text, token)) {
      return (known.expires_ms - now_ms + 999) / 1000;
    }
  }
  return std::nullopt;
}

bool MetadataThrottle::allows(std::int64_t now_ms) {
  const double elapsed_ms = static_cast<double>(now_ms - filled_ms_);
  left_ = std::min(burst, left_ + elapsed_ms * requests_per_second / 1000);
  filled_ms_ = now_ms;
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

MetadataResponse refusal(int status) {
  MetadataResponse response = status_only(status);
  response.close = true;
  return response;
}

MetadataResponse respond(const MetadataDocument& document, MetadataTokens& tokens,
                         const http::RequestHead& request, std::int64_t now_ms) {
  if (request.desync_class == http::DesyncClass::severe) return refusal(400);
  MetadataResponse response;
  switch (request.method) {
    case http::Method::put:
      response = issue_token(tokens, request, now_ms);
      break;
    case http::Method::get:
    case http::Method::head:
      response = read_item(document, tokens, request, now_ms);
      break;
    default:
      response = status_only(405);
  }
  response.with_body = request.method != http::Method::head;
  // Bodies mean nothing here; instead of reading one, the connection ends.
  const bool has_body = request.framing == http::Framing::chunked || request.content_length > 0;
  response.close = has_body || !request.keep_alive;
  return response;
}

std::string to_bytes(const MetadataResponse& response, std::int64_t unix_seconds) {
  std::string out = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nDate: {}\r\n",
      response.answer.status, http::reason_phrase(response.answer.status),
      response.answer.content_type, response.answer.body.size(), http::http_date(unix_seconds));
  if (response.token_ttl_seconds) {
    out += fmt::format("X-Aws-Ec2-Metadata-Token-Ttl-Seconds: {}\r\n", *response.token_ttl_seconds);
  }
  out += response.close ? "Server: EC2ws\r\nConnection: close\r\n\r\n" : "Server: EC2ws\r\n\r\n";
  if (response.with_body) out += response.answer.body;
  return out;
}

}  // namespace weir::compute
