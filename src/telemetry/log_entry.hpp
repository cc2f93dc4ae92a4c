// What the log's thread is told of a request: the source of an access log line.
#pragma once

#include <cstdint>

#include "telemetry/entry.hpp"
#include "telemetry/request_record.hpp"

namespace weir::telemetry {

enum class EntryText : std::uint8_t {
  method,
  target,
  authority,
  user_agent,
  trace_id,
  redirect_url,
  transformed_host,
  transformed_uri,  // up to here as Text
  load_balancer_arn,
  dns_name,
  node_ip,
  client_ip,
  target_ip,  // empty: none was chosen
  target_group_arn,
  error_reason,
  ssl_cipher,
  ssl_protocol,
  domain_name,  // the server name, where it is a certificate's
  chosen_certificate,
  count_,
};

struct EntryNumbers {
  std::int64_t created_us = 0;  // wall clock: the request's first byte
  std::int64_t ended_us = 0;    // wall clock
  // Microseconds; -1: not reached.
  std::int64_t request_us = -1;   // received → sent to the target
  std::int64_t target_us = -1;    // → first byte
  std::int64_t response_us = -1;  // → end
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t connection_id = 0;
  std::int32_t elb_status = 0;
  std::int32_t target_status = 0;
  std::int32_t rule_priority = RequestRecord::rule_none;
  std::uint16_t client_port = 0;
  std::uint16_t target_port = 0;
  std::uint16_t listener_port = 0;
  http::Version version = http::Version::http_1_1;
  http::DesyncClass desync_class = http::DesyncClass::compliant;
  http::DesyncReason desync_reason = http::DesyncReason::none;
  TransformStatus transform_status = TransformStatus::none;
  std::uint8_t executed = 0;
  bool is_websocket = false;
  bool is_tls = false;
};

using LogEntry = Entry<LogKind::access, EntryNumbers, EntryText>;

}  // namespace weir::telemetry
