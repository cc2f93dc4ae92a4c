// Access log lines: the ALB's format of 34 fields (reference §7.1), and JSON with the same fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "telemetry/log_entry.hpp"

namespace weir::telemetry {

// Both append one line with its newline.
void append_alb_line(std::string& out, const LogEntry& entry);
void append_json_line(std::string& out, const LogEntry& entry);

// "2026-03-02T09:15:00.186641Z".
[[nodiscard]] std::string iso8601_us(std::int64_t wall_us);
// "app/web/50dc6c495c0c9188" of a load balancer's ARN; the text itself where it is none.
[[nodiscard]] std::string_view resource_of(std::string_view arn);

}  // namespace weir::telemetry
