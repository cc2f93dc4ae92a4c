#include "telemetry/connection_line.hpp"

#include <fmt/format.h>

#include <iterator>

#include "telemetry/log_text.hpp"

namespace weir::telemetry {

// Fields 5 to 11 and 13 are those of TLS, which a connection to an HTTP listener has none of.
void append_line(std::string& out, const ConnectionEntry& entry) {
  const ConnectionNumbers& n = entry.numbers;
  fmt::format_to(std::back_inserter(out), "{} {} {} {} - - - \"-\" - - - {} - {} {}\n",
                 iso8601_us(n.established_us), or_dash(entry.text(ConnectionText::client_ip)),
                 n.client_port, n.listener_port, trace_text(n.connection_id),
                 resource_of(entry.text(ConnectionText::load_balancer_arn)),
                 or_dash(entry.text(ConnectionText::node_ip)));
}

}  // namespace weir::telemetry
