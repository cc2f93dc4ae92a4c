// Writing heads and the responses that the load balancer makes itself (reference §5.8).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::http {

// "Tue, 24 Nov 2026 20:05:12 GMT" (RFC 9110 §5.6.7) for wall-clock seconds.
[[nodiscard]] std::string http_date(std::int64_t unix_seconds);

// nginx's phrase for a status, as ALB's pages have it: "Bad Gateway", "Gateway Time-out"; empty for
// codes without one (460, 463, 464, 561).
[[nodiscard]] std::string_view reason_phrase(int status);

// A whole response of the load balancer: status line, Server: awselb/2.0, Date, Content-Type,
// Content-Length, Connection, and the HTML page with its exact bytes. `close`: Connection: close.
// `with_body` false (HEAD): the same head without the page.
[[nodiscard]] std::string error_response(int status, std::int64_t unix_seconds, bool close,
                                         bool with_body = true);

}  // namespace weir::http
