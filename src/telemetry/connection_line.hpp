// The connection log: one line a client's connection, 15 fields (reference §7.2).
#pragma once

#include <cstdint>
#include <string>

#include "telemetry/entry.hpp"

namespace weir::telemetry {

struct ConnectionNumbers {
  std::int64_t established_us = 0;  // wall clock
  std::uint64_t connection_id = 0;  // as in the lines of its requests
  std::uint16_t client_port = 0;
  std::uint16_t listener_port = 0;
  bool is_tls = false;
  std::int64_t handshake_us = -1;  // -1: it failed, or there was none
};

enum class ConnectionText : std::uint8_t {
  load_balancer_arn,
  node_ip,
  client_ip,
  tls_protocol,
  tls_cipher,
  tls_group,  // of the key exchange
  client_subject,
  client_validity,
  client_serial,
  verify_status,
  count_,
};

using ConnectionEntry = Entry<LogKind::connection, ConnectionNumbers, ConnectionText>;

// With its newline.
void append_line(std::string& out, const ConnectionEntry& entry);

}  // namespace weir::telemetry
