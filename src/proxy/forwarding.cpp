#include "proxy/forwarding.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "proxy/header_lookup.hpp"

namespace weir::proxy {
namespace {

using http::Header;
using http::HeaderId;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Eight digits at once: a nibble goes into each byte, and those above 9 become letters.
char* put_hex(char* at, std::uint32_t value) {
  std::uint64_t digits = value;
  digits = (digits | digits << 16U) & 0x0000ffff0000ffffU;
  digits = (digits | digits << 8U) & 0x00ff00ff00ff00ffU;
  digits = (digits | digits << 4U) & 0x0f0f0f0f0f0f0f0fU;
  const std::uint64_t is_letter = (digits + 0x0606060606060606U) >> 4U & 0x0101010101010101U;
  digits += 0x3030303030303030U + is_letter * ('a' - '0' - 10);
  if constexpr (std::endian::native == std::endian::little) digits = std::byteswap(digits);
  std::memcpy(at, &digits, sizeof digits);
  return at + sizeof digits;
}

// The host without its port: "[::1]:80" → "[::1]".
std::string_view without_port(std::string_view authority) {
  for (std::size_t i = authority.size(); i-- > 0;) {
    if (authority[i] == ':') return authority.substr(0, i);
    if (authority[i] == ']') break;
  }
  return authority;
}

void append_lower(HeadWriter& out, std::string_view text) {
  if (std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; }))
    return out.append(text);
  for (const char c : text) {
    const char folded = lower(c);
    out.append({&folded, 1});
  }
}

// The host that a transform has put in the place of the client's, or nothing.
std::string_view transformed_host(const ForwardingFacts& facts) {
  return facts.transformed != nullptr ? std::string_view(facts.transformed->host)
                                      : std::string_view{};
}

// A rewritten host is used in every mode; where the client's Host is preserved, its port stays.
void append_host(HeadWriter& out, const http::RequestHead& head, const ForwardingFacts& facts) {
  out.append("Host: ");
  if (head.authority.empty()) {  // HTTP/1.0 without Host
    out.append(facts.load_balancer.dns_name);
  } else {
    const std::string_view host = without_port(head.authority);
    const std::string_view new_host = transformed_host(facts);
    append_lower(out, new_host.empty() ? host : new_host);
    const std::string_view port = head.authority.substr(host.size());
    if (facts.load_balancer.preserve_host_header) {
      out.append(port);
    } else if (facts.listener_port != 80) {
      if (port.size() > 1) {
        out.append(port);
      } else {
        out.append(":");
        http::append_decimal(out, facts.listener_port);
      }
    }
  }
  out.append("\r\n");
}

void append_client_address(HeadWriter& out, const ForwardingFacts& facts) {
  if (!facts.load_balancer.xff_client_port) return out.append(facts.client_ip);
  const bool is_v6 = facts.client_ip.find(':') != std::string_view::npos;
  if (is_v6) out.append("[");
  out.append(facts.client_ip);
  out.append(is_v6 ? "]:" : ":");
  http::append_decimal(out, facts.client_port);
}

void append_forwarded_for(HeadWriter& out, const http::RequestHead& head,
                          const ForwardingFacts& facts) {
  using Mode = routing::LoadBalancer::XffMode;
  if (facts.load_balancer.xff_mode == Mode::remove) return;
  if (facts.load_balancer.xff_mode == Mode::preserve) {
    for (const Header& header : head.headers) {
      if (header.id != HeaderId::x_forwarded_for) continue;
      out.append("X-Forwarded-For: ");
      out.append(header.value);
      out.append("\r\n");
    }
    return;
  }
  out.append("X-Forwarded-For: ");
  if (head.forwarded_for_addresses > 0) {
    for (const Header& header : head.headers) {
      if (header.id != HeaderId::x_forwarded_for || header.value.empty()) continue;
      out.append(header.value);
      out.append(", ");
    }
  }
  append_client_address(out, facts);
  out.append("\r\n");
}

// Reference §5.5: a received value keeps its fields but Self, which is ours and stands in front.
void append_trace_id(HeadWriter& out, const http::RequestHead& head, const ForwardingFacts& facts,
                     TraceIds& ids) {
  constexpr std::size_t head_bytes_with_fields_max = 7 * 1024;
  const Header* received = head.find(HeaderId::x_amzn_trace_id);
  std::string_view fields = received == nullptr ? std::string_view{} : received->value;
  const bool has_root = fields.find("Root=") != std::string_view::npos;
  if (head.head_bytes > head_bytes_with_fields_max) fields = {};
  out.append("X-Amzn-Trace-Id: ");
  out.append(has_root && !fields.empty() ? "Self=" : "Root=");
  out.append(ids.make(facts.unix_seconds));
  while (!fields.empty()) {
    const auto end = std::min(fields.find(';'), fields.size());
    const std::string_view field = fields.substr(0, end);
    if (!field.empty() && !field.starts_with("Self=")) {
      out.append(";");
      out.append(field);
    }
    fields.remove_prefix(std::min(end + 1, fields.size()));
  }
  out.append("\r\n");
}

void append_request_line(HeadWriter& out, const http::RequestHead& head,
                         const ForwardingFacts& facts) {
  out.append(head.method_text);
  out.append(" ");
  if (facts.transformed != nullptr && !facts.transformed->uri.empty()) {
    out.append(facts.transformed->uri);
    return out.append(" HTTP/1.1\r\n");
  }
  // Absolute-form becomes origin-form, its authority the Host header.
  const std::string_view path = head.path.empty() ? std::string_view("/") : head.path;
  const auto append_part = [&](std::string_view part) {
    if (head.target_needs_encoding) {
      http::append_target(out, part);
    } else {
      out.append(part);
    }
  };
  append_part(path);
  if (head.has_query) {
    out.append("?");
    append_part(head.query);
  }
  out.append(" HTTP/1.1\r\n");
}

void append_status_line(HeadWriter& out, const http::ResponseHead& head) {
  out.append("HTTP/1.1 ");
  http::append_decimal(out, static_cast<std::uint64_t>(head.status));
  out.append(" ");
  out.append(head.reason);
  out.append("\r\n");
}

void append_tls(HeadWriter& out, const ForwardingFacts& facts) {
  const auto append_header = [&](std::string_view name, std::string_view value) {
    out.append(name);
    out.append(": ");
    out.append(value);
    out.append("\r\n");
  };
  append_header(facts.tls_headers->version_header, facts.tls->version());
  append_header(facts.tls_headers->cipher_header, facts.tls->cipher());
}

// What a client says of this itself is not passed on.
bool is_of_tls(std::string_view name, const routing::ListenerTls& headers) {
  return is_same_name(name, headers.version_header) || is_same_name(name, headers.cipher_header);
}

bool is_rewritten(HeaderId id) {
  switch (id) {
    case HeaderId::expect:
    case HeaderId::host:
    case HeaderId::x_amzn_trace_id:
    case HeaderId::x_forwarded_for:
    case HeaderId::x_forwarded_port:
    case HeaderId::x_forwarded_proto:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string_view TraceIds::make(std::int64_t unix_seconds) {
  char* at = last_.data();
  *at++ = '1';
  *at++ = '-';
  at = put_hex(at, static_cast<std::uint32_t>(unix_seconds));
  *at++ = '-';
  const std::uint64_t first = next();
  at = put_hex(at, static_cast<std::uint32_t>(first >> 32U));
  at = put_hex(at, static_cast<std::uint32_t>(first));
  put_hex(at, static_cast<std::uint32_t>(next()));
  return {last_.data(), last_.size()};
}

std::uint32_t write_request_head(ByteWindow& window, const http::RequestHead& head,
                                 const ForwardingFacts& facts, TraceIds& trace_ids) {
  HeadWriter out(window);
  append_request_line(out, head, facts);
  append_forwarded_for(out, head, facts);
  out.append(facts.tls == nullptr ? "X-Forwarded-Proto: http\r\nX-Forwarded-Port: "
                                  : "X-Forwarded-Proto: https\r\nX-Forwarded-Port: ");
  http::append_decimal(out, facts.listener_port);
  out.append("\r\n");
  if (facts.load_balancer.preserve_host_header && !head.authority.empty() &&
      transformed_host(facts).empty()) {
    // Also of absolute-form: the Host header beside it means nothing (RFC 9112 §3.2.2), and rules
    // have looked at this one.
    out.append("Host: ");
    out.append(head.authority);
    out.append("\r\n");
  } else {
    append_host(out, head, facts);
  }
  append_trace_id(out, head, facts, trace_ids);
  if (facts.tls_headers != nullptr) append_tls(out, facts);
  if (head.framing == http::Framing::content_length) {
    out.append("Content-Length: ");
    http::append_decimal(out, head.content_length);
    out.append("\r\n");
  } else if (head.framing == http::Framing::chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (head.is_websocket_upgrade) out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  const bool drop_invalid = facts.load_balancer.drop_invalid_header_fields;
  std::uint32_t invalid = 0;
  http::append_headers(out, head.headers, [drop_invalid, &invalid, &facts](const Header& header) {
    if (!http::is_end_to_end(header) || is_rewritten(header.id)) return false;
    if (facts.tls_headers != nullptr && is_of_tls(header.name, *facts.tls_headers)) return false;
    if (header.is_name_valid) return true;
    ++invalid;
    return !drop_invalid;
  });
  out.append("\r\n");
  return invalid;
}

ResponseFraming response_framing(const http::ResponseHead& head, http::Version client_version) {
  switch (head.framing) {
    case http::Framing::none:
      return ResponseFraming::none;
    case http::Framing::content_length:
      return ResponseFraming::content_length;
    case http::Framing::chunked:
    case http::Framing::until_close:
      break;
  }
  return client_version == http::Version::http_1_1 ? ResponseFraming::chunked
                                                   : ResponseFraming::until_close;
}

void write_response_head(ByteWindow& window, const http::ResponseHead& head,
                         ResponseFraming framing, http::Version client_version, bool close,
                         const routing::ResponseHeaders& changes, std::string_view more) {
  HeadWriter out(window);
  append_status_line(out, head);
  if (changes.lines.empty()) {
    http::append_headers(out, head.headers, http::is_end_to_end);
  } else {
    http::append_headers(out, head.headers, [&changes](const Header& header) {
      return http::is_end_to_end(header) && !changes.replaces(header.name);
    });
    out.append(changes.lines);
  }
  out.append(more);
  if (framing == ResponseFraming::content_length) {
    out.append("Content-Length: ");
    http::append_decimal(out, head.content_length);
    out.append("\r\n");
  } else if (framing == ResponseFraming::chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (framing == ResponseFraming::none) {
    // To HEAD and with 304 it tells of the body that GET would have had (RFC 9110 §8.6).
    const Header* length = head.find(HeaderId::content_length);
    if (length != nullptr && head.status != 204 && head.status >= 200) {
      out.append("Content-Length: ");
      out.append(length->value);
      out.append("\r\n");
    }
  }
  if (head.status == 101) {
    out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  } else if (close) {
    out.append("Connection: close\r\n");
  } else if (client_version == http::Version::http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

void write_interim_head(ByteWindow& window, const http::ResponseHead& head) {
  HeadWriter out(window);
  append_status_line(out, head);
  http::append_headers(out, head.headers, http::is_end_to_end);
  out.append("\r\n");
}

std::string redirect_location(const model::RedirectAction& action, const http::RequestHead& head,
                              std::string_view host, const routing::Listener& listener) {
  std::string lower_host(without_port(host));
  std::transform(lower_host.begin(), lower_host.end(), lower_host.begin(), lower);
  const std::string_view path = head.path.starts_with('/') ? head.path.substr(1) : head.path;
  const std::string port = std::to_string(listener.port);
  const auto fill = [&](std::string_view pattern) {
    std::string out;
    while (!pattern.empty()) {
      const auto start = pattern.find("#{");
      out += pattern.substr(0, start);
      if (start == std::string_view::npos) break;
      const auto end = pattern.find('}', start);
      const std::string_view name = end == std::string_view::npos
                                        ? std::string_view{}
                                        : pattern.substr(start + 2, end - start - 2);
      if (name == "protocol")
        out += listener.is_https ? "https" : "http";
      else if (name == "host")
        out += lower_host;
      else if (name == "port")
        out += port;
      else if (name == "path")
        out += path;
      else if (name == "query")
        out += head.query;
      else
        out += pattern.substr(start, end == std::string_view::npos ? end : end - start + 1);
      if (end == std::string_view::npos) break;
      pattern.remove_prefix(end + 1);
    }
    return out;
  };
  std::string protocol = fill(action.protocol);
  std::transform(protocol.begin(), protocol.end(), protocol.begin(), lower);
  std::string location =
      protocol + "://" + fill(action.host) + ":" + fill(action.port) + fill(action.path);
  const std::string query = fill(action.query);
  if (!query.empty()) location += "?" + query;
  std::string encoded;
  http::append_target(encoded, location);
  // A pattern may hold a fragment; what the client sent never does.
  return encoded;
}

}  // namespace weir::proxy
