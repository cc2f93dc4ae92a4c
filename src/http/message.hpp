// HTTP/1 messages as the parser sees them: views into the bytes that were received.
//
// A head is parsed in place and stays valid as long as its bytes. Sources: RFC 9110, RFC 9112;
// limits and classification: reference §5.1, §6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::http {

// Limits of reference §5.1.
inline constexpr std::size_t request_line_bytes_max = 16 * 1024;
inline constexpr std::size_t header_bytes_max = 16 * 1024;        // one request header
inline constexpr std::size_t request_head_bytes_max = 64 * 1024;  // request line and headers
inline constexpr std::size_t response_head_bytes_max = 32 * 1024;
inline constexpr std::size_t header_count_max = 1024;
inline constexpr std::size_t chunk_line_bytes_max = 256;  // size and extensions
inline constexpr std::size_t trailer_bytes_max = 16 * 1024;

enum class Version : std::uint8_t { http_0_9, http_1_0, http_1_1 };

enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  del,
  options,
  patch,
  trace,
  connect,
  other
};

// Headers that the data plane looks at; all others are `other`.
enum class HeaderId : std::uint8_t {
  other,
  connection,
  content_length,
  cookie,
  date,
  expect,
  host,
  keep_alive,
  proxy_connection,
  server,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  x_amzn_trace_id,
  x_forwarded_for,
  x_forwarded_port,
  x_forwarded_proto,
  count_,
};

// Case-insensitive. O(1): a switch on length and first letter.
[[nodiscard]] HeaderId header_id(std::string_view name);

struct Header {
  std::string_view name;   // letter case as received
  std::string_view value;  // without leading and trailing spaces and tabs
  HeaderId id = HeaderId::other;
  // False: the name does not match [-A-Za-z0-9]+ (routing.http.drop_invalid_header_fields).
  bool is_name_valid = true;
  // False: never sent on, whatever the configuration: a line that is not a field (no name, no
  // token), a look-alike of Transfer-Encoding or Content-Length, a field that Connection names.
  // What the proxy consumes or rewrites by its id (Connection, Transfer-Encoding, …) stays true.
  bool is_forwardable = true;
};

// How a body is delimited (RFC 9112 §6).
enum class Framing : std::uint8_t { none, content_length, chunked, until_close };

// Reference §6.
enum class DesyncClass : std::uint8_t { compliant, acceptable, ambiguous, severe };

enum class DesyncReason : std::uint8_t {
  none,
  ambiguous_uri,
  bad_content_length,
  bad_header,
  bad_method,
  bad_transfer_encoding,
  bad_uri,
  bad_version,
  both_te_cl_present,
  duplicate_content_length,
  empty_header,
  get_head_zero_content_length,
  multiple_content_length,
  multiple_transfer_encoding_chunked,
  non_compliant_header,
  non_compliant_version,
  space_in_uri,
  suspicious_header,
  suspicious_te_cl_present,
  undefined_content_length_semantics,
  undefined_transfer_encoding_semantics,
  // Of the raw parser; not in the access log's table.
  non_crlf_line_termination,
  multiline_header,
  partial_header_line,
  missing_last_empty_line,
  missing_header_colon,
  missing_uri,
};

// "AmbiguousUri", as the access log writes it; "-" for none.
[[nodiscard]] std::string_view to_string(DesyncReason reason);
[[nodiscard]] std::string_view to_string(DesyncClass desync_class);  // "Compliant", …
[[nodiscard]] DesyncClass desync_class_of(DesyncReason reason);      // reference §6.2

struct RequestHead {
  std::string_view method_text;
  Method method = Method::other;
  std::string_view target;     // as received: origin-form, absolute-form, "*"
  std::string_view authority;  // of absolute-form, else the Host header's value; may be empty
  std::string_view path;       // from '/', without query; "*" for asterisk-form
  std::string_view query;      // after '?', without it
  bool has_query = false;
  bool is_absolute_form = false;
  // `target` holds spaces, control characters or '#': write it with append_target() (writer.hpp),
  // or the target's parser may see another request line.
  bool target_needs_encoding = false;
  Version version = Version::http_1_1;
  std::vector<Header> headers;  // in order; reused from request to request, so no allocation
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  // What the client wants of its connection; false too where RFC 9112 §6.1 demands its end.
  bool keep_alive = true;
  bool expects_continue = false;
  bool is_websocket_upgrade = false;  // GET, HTTP/1.1, Connection: upgrade, Upgrade: websocket
  std::uint32_t forwarded_for_addresses = 0;  // in all X-Forwarded-For fields
  DesyncClass desync_class = DesyncClass::compliant;
  DesyncReason desync_reason = DesyncReason::none;
  std::size_t head_bytes = 0;  // to the end of the empty line, skipped empty lines included

  [[nodiscard]] const Header* find(HeaderId id) const;  // the first, or nullptr
};

struct ResponseHead {
  Version version = Version::http_1_1;
  int status = 0;  // 100–999
  std::string_view reason;
  std::vector<Header> headers;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;  // what the target allows of its connection
  std::size_t head_bytes = 0;

  [[nodiscard]] const Header* find(HeaderId id) const;
};

}  // namespace weir::http
