// The responses that the load balancer makes itself: error pages, redirects and fixed responses,
// with the bytes of an ALB's (reference §5.8). Appended to a string that its owner keeps, so that a
// warm one costs no allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::http {

struct OwnResponse {
  int status = 500;
  std::string_view content_type = "text/html";
  std::optional<std::string_view> body = std::nullopt;  // not set: the page of the status
  std::string_view more_headers{};                      // whole lines, each with its CRLF
  std::int64_t retry_after_seconds = 0;                 // 0: no Retry-After
  std::string_view location{};  // the last header; without control characters
  bool has_server = true;       // Server: awselb/2.0
  bool close = false;
  bool with_body = true;  // false: the answer to HEAD, the same head without the body
  bool with_head = true;  // false: HTTP/0.9, which knows bodies alone
};

// `date`: of the Date header, see http_date().
void append_own_response(std::string& out, const OwnResponse& response, std::string_view date);

// What a fixed-response action's type is sent as (reference §3.3): text/plain, also where none is
// given, with its charset.
[[nodiscard]] std::string_view fixed_content_type(std::string_view configured);

// nginx's phrase for a status, as ALB's pages have it: "Bad Gateway", "Gateway Time-out"; empty for
// codes without one (460, 463, 464, 561).
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace weir::http
