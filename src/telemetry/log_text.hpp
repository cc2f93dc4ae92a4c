// What the lines of all logs are made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::telemetry {

// A quote or a control character inside a field would end it for whoever reads the log: such bytes
// are written as `hex_prefix` and two hexadecimal digits.
void append_escaped(std::string& out, std::string_view text, std::string_view hex_prefix);

[[nodiscard]] std::string_view or_dash(std::string_view text);
// "10.0.0.4:80", "[::1]:80"; "-" without an address.
[[nodiscard]] std::string with_port(std::string_view ip, unsigned port);
// Joins a connection's line and those of its requests: "TID_1234abcd5678ef90".
[[nodiscard]] std::string trace_text(std::uint64_t connection_id);
// "2026-03-02T09:15:00.186641Z".
[[nodiscard]] std::string iso8601_us(std::int64_t wall_us);
// "app/web/50dc6c495c0c9188" of a load balancer's ARN; the text itself where it is none.
[[nodiscard]] std::string_view resource_of(std::string_view arn);

// "0.012"; "-1" of what was not reached.
[[nodiscard]] std::string seconds(std::int64_t us);

}  // namespace weir::telemetry
