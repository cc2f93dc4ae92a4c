#include "telemetry/connection_line.hpp"

#include <fmt/format.h>

#include <iterator>

#include "telemetry/log_text.hpp"

namespace weir::telemetry {

// A connection to an HTTP listener has none of TLS.
void append_line(std::string& out, const ConnectionEntry& entry) {
  const ConnectionNumbers& n = entry.numbers;
  const auto text = [&](ConnectionText which) { return or_dash(entry.text(which)); };
  fmt::format_to(std::back_inserter(out), "{} {} {} {} {} {} {} \"", iso8601_us(n.established_us),
                 text(ConnectionText::client_ip), n.client_port, n.listener_port,
                 text(ConnectionText::tls_protocol), text(ConnectionText::tls_cipher),
                 n.handshake_us < 0 ? std::string("-") : seconds(n.handshake_us));
  append_escaped(out, text(ConnectionText::client_subject), "\\x");
  fmt::format_to(
      std::back_inserter(out), "\" {} {} {} {} {} {} {}\n", text(ConnectionText::client_validity),
      text(ConnectionText::client_serial), text(ConnectionText::verify_status),
      trace_text(n.connection_id), text(ConnectionText::tls_group),
      resource_of(entry.text(ConnectionText::load_balancer_arn)), text(ConnectionText::node_ip));
}

}  // namespace weir::telemetry
