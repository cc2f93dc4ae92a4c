// weir.rate_limit.*: hook of the phase `classify`. The answer is 429 (RFC 6585 §4).
#pragma once

#include <cstdint>
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

}  // namespace weir::proxy
