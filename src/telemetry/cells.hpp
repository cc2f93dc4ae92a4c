// What one worker counts, as arrays of counters indexed by an enum: one set a load balancer and
// zone, one a target group and zone, one a target.
//
// The zone of a load balancer's set is that of the node which took the client's connection, the
// zone of a group's set that of the target. Sums over zones give the metrics without zone, sums
// over workers the whole; both are the reader's work (totals.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "telemetry/counter.hpp"
#include "telemetry/histogram.hpp"

namespace weir::telemetry {

enum class OfBalancer : std::uint8_t {
  requests,    // all that were answered, or would have been
  dispatched,  // for which a target was chosen: RequestCount
  ipv6_requests,
  grpc_requests,
  active_connections,  // a gauge; client side
  active_target_connections,
  new_connections,
  new_target_connections,
  rejected_connections,
  client_tls_negotiation_errors,
  target_tls_negotiation_errors,
  received_bytes,
  sent_bytes,
  ipv6_bytes,
  rules_evaluated,
  elb_3xx,
  elb_4xx,
  elb_5xx,
  elb_500,
  elb_502,
  elb_503,
  elb_504,
  client_gone,  // 460, within elb_4xx
  redirects,
  fixed_responses,
  redirect_url_limit,
  desync_non_compliant,
  invalid_headers_dropped,
  invalid_headers_forwarded,
  non_sticky,
  app_cookie_non_sticky,
  target_2xx,
  target_3xx,
  target_4xx,
  target_5xx,
  target_connection_errors,
  retries,
  rate_limited,
  circuit_open,
  mirrored,
  jwt_refused,
  log_lines_dropped,
  connection_log_lines_dropped,
  count_,
};

enum class OfGroup : std::uint8_t {
  requests,
  grpc_requests,
  target_2xx,
  target_3xx,
  target_4xx,
  target_5xx,
  connection_errors,
  fail_open,
  retries,
  count_,
};

enum class OfTarget : std::uint8_t {
  requests,
  target_2xx,
  target_3xx,
  target_4xx,
  target_5xx,
  connection_errors,
  sent_bytes,      // to the target
  received_bytes,  // from it
  responses,
  response_time_us,  // sum over the responses
  count_,
};

// Where the time of a request goes (Moments, request_record.hpp).
enum class Phase : std::uint8_t {
  accept,      // connection accepted → first byte of its first request
  parse,       // first byte → head whole
  route,       // rules evaluated; exact, one request in sixteen
  queue,       // head whole → a target connection asked for
  connect,     // → it can be written to; only of new connections
  first_byte,  // request sent → first byte of the response
  body,        // → the last byte handed to the client's connection
  total,       // first byte of the request → end
  count_,
};

template <typename Name>
inline constexpr std::size_t size_of = static_cast<std::size_t>(Name::count_);

template <typename Name>
class Counters {
 public:
  Counter& operator[](Name name) { return counters_[static_cast<std::size_t>(name)]; }
  void add(Name name, std::uint64_t amount = 1) { (*this)[name].add(amount); }
  void add_to(std::array<std::uint64_t, size_of<Name>>& out) const {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += counters_[i].value();
  }

 private:
  std::array<Counter, size_of<Name>> counters_{};
};

// `references` is the writer's, for LocalRef.
struct BalancerCells {
  Counters<OfBalancer> counts;
  Histogram response_time;
  std::array<Histogram, size_of<Phase>> phases;
  std::uint32_t references = 0;
};

struct GroupCells {
  Counters<OfGroup> counts;
  Histogram response_time;
  std::uint32_t references = 0;
};

struct TargetCells {
  Counters<OfTarget> counts;
  std::uint32_t references = 0;
};

// 2xx…5xx lie in order: the counter for a status, or `count_` where none is meant.
template <typename Name>
[[nodiscard]] constexpr Name for_status(Name two_hundreds, int status) {
  if (status < 200 || status > 599) return Name::count_;
  return static_cast<Name>(static_cast<int>(two_hundreds) + status / 100 - 2);
}

}  // namespace weir::telemetry
