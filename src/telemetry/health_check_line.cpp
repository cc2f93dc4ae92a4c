#include "telemetry/health_check_line.hpp"

#include <fmt/format.h>

#include <iterator>

#include "telemetry/log_text.hpp"

namespace weir::telemetry {

void append_line(std::string& out, const HealthCheckEntry& entry) {
  const HealthCheckNumbers& n = entry.numbers;
  const auto text = [&](HealthCheckText which) { return or_dash(entry.text(which)); };
  fmt::format_to(
      std::back_inserter(out), "{} {} {:.9f} {} {} {} {} {} {} {}\n", text(HealthCheckText::type),
      iso8601_us(n.begun_us), static_cast<double>(n.latency_ns) / 1e9,
      with_port(entry.text(HealthCheckText::target_ip), n.target_port),
      text(HealthCheckText::target_group), n.has_passed ? "PASS" : "FAIL",
      n.status_code == 0 ? "-" : std::to_string(n.status_code), text(HealthCheckText::reason_code),
      resource_of(entry.text(HealthCheckText::load_balancer_arn)), text(HealthCheckText::node_ip));
}

}  // namespace weir::telemetry
