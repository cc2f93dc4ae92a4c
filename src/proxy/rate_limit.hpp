// weir.rate_limit.*: hook of the phase `classify`. Reference: none; RFC 6585 §4 (429).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "routing/snapshot.hpp"
#include "traffic/rate_limiter.hpp"

namespace weir::proxy {

// 0: the request is admitted. Otherwise whole seconds until one like it would be. A request without
// the header that the limit names is counted by its source address. An IPv6 source is its /64,
// which one subscriber has whole.
[[nodiscard]] std::int64_t seconds_over_rate(const routing::RateLimit& rate_limit,
                                             traffic::RateLimiter::Lane& lane,
                                             const http::RequestHead& head,
                                             std::string_view client_ip, std::int64_t now_ms);

// 429 with Retry-After.
[[nodiscard]] std::string too_many_requests(std::int64_t retry_after_seconds,
                                            std::int64_t unix_seconds, bool close, bool with_body);

}  // namespace weir::proxy
