// The request line (RFC 9112 §3).
#pragma once

#include <string_view>

#include "http/desync.hpp"
#include "http/message.hpp"

namespace weir::http {

// What a line says about itself; applied to the request's verdict in the order method, version,
// URI, after the headers (reference §6.3, point 2).
struct RequestLineFindings {
  DesyncReason method = DesyncReason::none;
  DesyncReason version = DesyncReason::none;
  DesyncReason uri = DesyncReason::none;
  int status = 0;  // other than 0: refused, for `detail` and `reason`
  std::string_view detail;
  DesyncReason reason = DesyncReason::none;
};

// The line that nearly all requests have: a token, a target of visible ASCII without '#',
// HTTP/1.1 or HTTP/1.0, CRLF. Sets method, target and version of `head`, not the target's parts.
// Returns the first header's place, or nullptr where the line has another shape or has not ended.
[[nodiscard]] const char* plain_request_line(const char* at, const char* end, RequestHead& head);

// Any other line, without its end.
[[nodiscard]] RequestLineFindings odd_request_line(std::string_view line, RequestHead& head);

}  // namespace weir::http
