#include "telemetry/prometheus.hpp"

#include <fmt/format.h>

#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include "telemetry/log_text.hpp"

namespace weir::telemetry {
namespace {

struct Metric {
  std::string_view name;
  std::string_view help;
  bool is_gauge = false;
};

// In the order of OfBalancer.
constexpr std::array<Metric, size_of<OfBalancer>> balancer_metrics{{
    {"weir_requests_total", "Requests ended, whatever their answer"},
    {"weir_dispatched_requests_total", "Requests for which a target was chosen (RequestCount)"},
    {"weir_ipv6_requests_total", "Requests over IPv6 (IPv6RequestCount)"},
    {"weir_grpc_requests_total", "gRPC requests (GrpcRequestCount)"},
    {"weir_client_connections_active", "Client connections open", true},
    {"weir_target_connections_active", "Target connections open", true},
    {"weir_client_connections_total", "Client connections accepted"},
    {"weir_target_connections_total", "Target connections asked for"},
    {"weir_rejected_connections_total", "Connections refused at a maximum"},
    {"weir_client_tls_errors_total", "TLS handshakes with clients that failed"},
    {"weir_target_tls_errors_total", "TLS handshakes with targets that failed"},
    {"weir_received_bytes_total", "Bytes of requests, heads included"},
    {"weir_sent_bytes_total", "Bytes of responses, heads included"},
    {"weir_ipv6_bytes_total", "Bytes both ways over IPv6 (IPv6ProcessedBytes)"},
    {"weir_rule_evaluations_total", "Rules evaluated, the default ones not counted"},
    {"weir_elb_3xx_total", "3XX answers of the load balancer's own"},
    {"weir_elb_4xx_total", "4XX answers of the load balancer's own"},
    {"weir_elb_5xx_total", "5XX answers of the load balancer's own"},
    {"weir_elb_500_total", "500 answers of the load balancer's own"},
    {"weir_elb_502_total", "502 answers of the load balancer's own"},
    {"weir_elb_503_total", "503 answers of the load balancer's own"},
    {"weir_elb_504_total", "504 answers of the load balancer's own"},
    {"weir_client_gone_total", "Requests whose client left before an answer (460)"},
    {"weir_redirects_total", "Redirects (HTTP_Redirect_Count)"},
    {"weir_fixed_responses_total", "Fixed responses (HTTP_Fixed_Response_Count)"},
    {"weir_redirect_url_limit_total", "Redirects whose Location was too long"},
    {"weir_desync_non_compliant_total", "Requests that are not compliant (desync mitigation)"},
    {"weir_invalid_headers_dropped_total", "Requests that lost header fields with invalid names"},
    {"weir_invalid_headers_forwarded_total", "Requests that kept such fields"},
    {"weir_non_sticky_total", "New choices although stickiness is on"},
    {"weir_app_cookie_non_sticky_total", "Responses without the application's cookie"},
    {"weir_target_2xx_total", "2XX answers of targets"},
    {"weir_target_3xx_total", "3XX answers of targets"},
    {"weir_target_4xx_total", "4XX answers of targets"},
    {"weir_target_5xx_total", "5XX answers of targets"},
    {"weir_target_connection_errors_total", "Connections to targets that failed"},
    {"weir_retries_total", "Requests sent to a target again"},
    {"weir_rate_limited_total", "Requests over their rate limit"},
    {"weir_circuit_open_total", "Requests refused by a circuit breaker"},
    {"weir_mirrored_total", "Requests mirrored"},
    {"weir_jwt_refused_total", "Requests whose token was refused (JWTValidationFailureCount)"},
    {"weir_access_log_lines_dropped_total", "Access log lines dropped because the ring was full"},
    {"weir_connection_log_lines_dropped_total",
     "Connection log lines dropped because the ring was full"},
}};

// In the order of OfGroup.
constexpr std::array<Metric, size_of<OfGroup>> group_metrics{{
    {"weir_group_requests_total", "Requests to the group's targets"},
    {"weir_group_grpc_requests_total", "gRPC requests to the group's targets"},
    {"weir_group_2xx_total", "2XX answers of the group's targets"},
    {"weir_group_3xx_total", "3XX answers of the group's targets"},
    {"weir_group_4xx_total", "4XX answers of the group's targets"},
    {"weir_group_5xx_total", "5XX answers of the group's targets"},
    {"weir_group_connection_errors_total", "Connections to the group's targets that failed"},
    {"weir_group_fail_open_total", "Requests routed while no target was healthy"},
    {"weir_group_retries_total", "Requests of the group sent again"},
}};

// In the order of OfTarget.
constexpr std::array<Metric, size_of<OfTarget>> target_metrics{{
    {"weir_target_requests_total", "Requests to the target"},
    {"weir_target_responses_2xx_total", "2XX answers of the target"},
    {"weir_target_responses_3xx_total", "3XX answers of the target"},
    {"weir_target_responses_4xx_total", "4XX answers of the target"},
    {"weir_target_responses_5xx_total", "5XX answers of the target"},
    {"weir_target_connect_errors_total", "Connections to the target that failed"},
    {"weir_target_sent_bytes_total", "Bytes to the target"},
    {"weir_target_received_bytes_total", "Bytes from the target"},
    {"weir_target_answered_total", "Requests that the target began to answer"},
    {"weir_target_response_microseconds_total", "Time to the first byte, summed over the answered"},
}};

constexpr std::array<std::string_view, size_of<Phase>> phase_names{
    "accept", "parse", "route", "queue", "connect", "first_byte", "body", "total"};

// Label values: backslash, quote and line end are escaped.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string_view group_of(std::string_view arn) {
  constexpr std::string_view kind = ":targetgroup/";
  const auto at = arn.find(kind);
  return at == std::string_view::npos ? arn : arn.substr(at + kind.size());
}

std::string labels(const ZoneKey& key, bool is_group) {
  return is_group ? fmt::format("target_group={},zone={}", quoted(group_of(key.first)),
                                quoted(key.second))
                  : fmt::format("load_balancer={},zone={}", quoted(resource_of(key.first)),
                                quoted(key.second));
}

class Page {
 public:
  void begin(std::string_view name, std::string_view help, std::string_view type) {
    fmt::format_to(out(), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void value(std::string_view name, std::string_view label_text, std::uint64_t number) {
    fmt::format_to(out(), "{}{{{}}} {}\n", name, label_text, number);
  }
  void histogram(std::string_view name, std::string_view label_text, const HistogramValues& values);
  std::string take() { return std::move(text_); }

 private:
  std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }
  std::string text_;
};

// Durations are whole microseconds, rounded down: fewer than 2^k means less than 2^k µs.
void Page::histogram(std::string_view name, std::string_view label_text,
                     const HistogramValues& values) {
  for (unsigned bits = 6; bits < Buckets::bits_max; ++bits) {
    const std::uint64_t us = std::uint64_t{1} << bits;
    fmt::format_to(out(), "{}_bucket{{{},le=\"{}\"}} {}\n", name, label_text,
                   static_cast<double>(us) / 1e6, values.at_most(us - 1));
  }
  fmt::format_to(out(), "{}_bucket{{{},le=\"+Inf\"}} {}\n", name, label_text, values.samples);
  fmt::format_to(out(), "{}_sum{{{}}} {}\n", name, label_text,
                 static_cast<double>(values.sum_us) / 1e6);
  fmt::format_to(out(), "{}_count{{{}}} {}\n", name, label_text, values.samples);
}

template <typename Map, typename Labels>
void write_counts(Page& text, std::span<const Metric> metrics, const Map& map, Labels labels_of) {
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    text.begin(metrics[i].name, metrics[i].help, metrics[i].is_gauge ? "gauge" : "counter");
    for (const auto& [key, values] : map)
      text.value(metrics[i].name, labels_of(key), values.counts.counts[i]);
  }
}

void write_histograms(Page& text, const Totals& totals) {
  text.begin("weir_phase_seconds", "Where the time of requests goes", "histogram");
  for (const auto& [key, values] : totals.balancers) {
    for (std::size_t i = 0; i < values.phases.size(); ++i) {
      text.histogram("weir_phase_seconds",
                     fmt::format("{},phase=\"{}\"", labels(key, false), phase_names[i]),
                     values.phases[i]);
    }
  }
  text.begin("weir_target_response_seconds",
             "Request sent to first byte of the answer (TargetResponseTime), by load balancer",
             "histogram");
  for (const auto& [key, values] : totals.balancers)
    text.histogram("weir_target_response_seconds", labels(key, false), values.response_time);
  text.begin("weir_group_response_seconds", "The same, by target group", "histogram");
  for (const auto& [key, values] : totals.groups)
    text.histogram("weir_group_response_seconds", labels(key, true), values.response_time);
}

// Draining and unused targets are neither (reference §7.4).
void write_hosts(Page& text, const routing::Snapshot& snapshot) {
  std::map<ZoneKey, std::pair<std::uint64_t, std::uint64_t>> hosts;
  for (const routing::TargetGroup& group : snapshot.target_groups) {
    for (const routing::Target& target : group.targets) {
      if (!target.usable || target.draining || !target.health) continue;
      auto& [healthy, unhealthy] = hosts[{group.arn, target.zone}];
      const auto state = target.health->state.load(std::memory_order_relaxed);
      if (state == routing::HealthState::healthy) ++healthy;
      if (state == routing::HealthState::unhealthy) ++unhealthy;
    }
  }
  text.begin("weir_healthy_hosts", "Targets that are healthy (HealthyHostCount)", "gauge");
  for (const auto& [key, both] : hosts)
    text.value("weir_healthy_hosts", labels(key, true), both.first);
  text.begin("weir_unhealthy_hosts", "Targets that are unhealthy (UnHealthyHostCount)", "gauge");
  for (const auto& [key, both] : hosts)
    text.value("weir_unhealthy_hosts", labels(key, true), both.second);
}

}  // namespace

std::string prometheus_text(const Totals& totals, const routing::Snapshot& snapshot) {
  Page text;
  write_counts(text, balancer_metrics, totals.balancers,
               [](const ZoneKey& key) { return labels(key, false); });
  write_counts(text, group_metrics, totals.groups,
               [](const ZoneKey& key) { return labels(key, true); });
  write_counts(text, target_metrics, totals.targets, [](const TargetKey& key) {
    const auto& [arn, id, port] = key;
    return fmt::format("target_group={},target={}", quoted(group_of(arn)),
                       quoted(fmt::format("{}:{}", id, port)));
  });
  write_histograms(text, totals);
  write_hosts(text, snapshot);
  return text.take();
}

}  // namespace weir::telemetry
