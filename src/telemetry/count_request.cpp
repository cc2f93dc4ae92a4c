#include "telemetry/count_request.hpp"

namespace weir::telemetry {
namespace {

using enum OfBalancer;

void add_if(Counters<OfBalancer>& counts, OfBalancer which, bool holds) {
  if (holds) counts.add(which);
}

// Codes that the load balancer made. Redirects and fixed responses are actions that worked, and
// have counters of their own; a redirect counts among the 3XX as well (reference §7.4).
void count_own_status(Counters<OfBalancer>& counts, const RequestRecord& record) {
  const int status = record.elb_status;
  if (record.has_done(Executed::fixed_response)) {
    return counts.add(fixed_responses);
  }
  if (status < 300 || status > 599) return;
  counts.add(static_cast<OfBalancer>(static_cast<int>(elb_3xx) + status / 100 - 3));
  switch (status) {
    case 460:
      return counts.add(client_gone);
    case 500:
      return counts.add(elb_500);
    case 502:
      return counts.add(elb_502);
    case 503:
      return counts.add(elb_503);
    case 504:
      return counts.add(elb_504);
    default:
      if (record.has_done(Executed::redirect) && status < 400) counts.add(redirects);
      return;
  }
}

void count_target_status(Counters<OfBalancer>& counts, int status) {
  const OfBalancer which = for_status(target_2xx, status);
  if (which != OfBalancer::count_) counts.add(which);
}

void count_rare(Counters<OfBalancer>& counts, const RequestRecord& record) {
  add_if(counts, ipv6_requests, record.is_ipv6);
  add_if(counts, grpc_requests, record.is_grpc);
  add_if(counts, redirect_url_limit, record.is_location_too_long);
  add_if(counts, desync_non_compliant, record.desync_class != http::DesyncClass::compliant);
  add_if(counts, invalid_headers_dropped, record.invalid_headers_dropped > 0);
  add_if(counts, invalid_headers_forwarded, record.invalid_headers_forwarded > 0);
  add_if(counts, non_sticky, record.is_newly_sticky);
  add_if(counts, app_cookie_non_sticky, record.is_app_cookie_missing);
  add_if(counts, rate_limited, record.is_rate_limited);
  add_if(counts, circuit_open, record.is_circuit_open);
  add_if(counts, mirrored, record.is_mirrored);
  add_if(counts, jwt_refused, record.is_jwt_refused);
  if (record.connect_errors > 0) counts.add(target_connection_errors, record.connect_errors);
  if (record.retries > 0) counts.add(retries, record.retries);
}

void record_between(Histogram& histogram, std::int64_t from, std::int64_t to) {
  if (from > 0 && to >= from) histogram.record(to - from);
}

void count_phases(BalancerCells& cells, const RequestRecord& record) {
  const auto of = [&](Phase phase) -> Histogram& {
    return cells.phases[static_cast<std::size_t>(phase)];
  };
  const Moments& at = record.at;
  record_between(of(Phase::accept), at.accepted, at.received);
  record_between(of(Phase::parse), at.received, at.parsed);
  if (record.route_ns >= 0) of(Phase::route).record((record.route_ns + 500) / 1000);
  record_between(of(Phase::queue), at.parsed, at.dispatched);
  if (at.connected > at.dispatched) of(Phase::connect).record(at.connected - at.dispatched);
  record_between(of(Phase::first_byte), at.connected, at.first_byte);
  record_between(of(Phase::body), at.first_byte, at.ended);
  record_between(of(Phase::total), at.received, at.ended);
}

}  // namespace

void count_request(BalancerCells& cells, const RequestRecord& record) {
  auto& counts = cells.counts;
  counts.add(requests);
  counts.add(received_bytes, record.received_bytes);
  counts.add(sent_bytes, record.sent_bytes);
  if (record.is_ipv6) counts.add(ipv6_bytes, record.received_bytes + record.sent_bytes);
  if (record.rules_evaluated > 0) counts.add(rules_evaluated, record.rules_evaluated);
  if (record.target != nullptr) counts.add(dispatched);
  if (record.target_status > 0) count_target_status(counts, record.target_status);
  if (!record.is_from_target) count_own_status(counts, record);
  count_rare(counts, record);
  record_between(cells.response_time, record.at.connected, record.at.first_byte);
  count_phases(cells, record);
}

void count_request(GroupCells& cells, const RequestRecord& record) {
  auto& counts = cells.counts;
  counts.add(OfGroup::requests);
  const OfGroup status = for_status(OfGroup::target_2xx, record.target_status);
  if (status != OfGroup::count_) counts.add(status);
  if (record.is_grpc) counts.add(OfGroup::grpc_requests);
  if (record.connect_errors > 0) counts.add(OfGroup::connection_errors, record.connect_errors);
  if (record.is_fail_open) counts.add(OfGroup::fail_open);
  if (record.retries > 0) counts.add(OfGroup::retries, record.retries);
  record_between(cells.response_time, record.at.connected, record.at.first_byte);
}

void count_request(TargetCells& cells, const RequestRecord& record) {
  auto& counts = cells.counts;
  counts.add(OfTarget::requests);
  const OfTarget status = for_status(OfTarget::target_2xx, record.target_status);
  if (status != OfTarget::count_) counts.add(status);
  if (record.connect_errors > 0) counts.add(OfTarget::connection_errors, record.connect_errors);
  counts.add(OfTarget::sent_bytes, record.target_sent_bytes);
  counts.add(OfTarget::received_bytes, record.target_received_bytes);
  if (record.at.connected > 0 && record.at.first_byte >= record.at.connected) {
    counts.add(OfTarget::responses);
    counts.add(OfTarget::response_time_us,
               static_cast<std::uint64_t>(record.at.first_byte - record.at.connected));
  }
}

}  // namespace weir::telemetry
