// Access log lines: the ALB's format of 34 fields (reference §7.1), and JSON with the same fields.
#pragma once

#include <string>

#include "telemetry/log_entry.hpp"

namespace weir::telemetry {

// Both append one line with its newline.
void append_alb_line(std::string& out, const LogEntry& entry);
void append_json_line(std::string& out, const LogEntry& entry);

}  // namespace weir::telemetry
