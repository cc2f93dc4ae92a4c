#include "telemetry/log_text.hpp"

#include <fmt/format.h>

#include <ctime>
#include <iterator>

namespace weir::telemetry {

void append_escaped(std::string& out, std::string_view text, std::string_view hex_prefix) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F || c == '"' || c == '\\') {
      fmt::format_to(std::back_inserter(out), "{}{:02X}", hex_prefix, byte);
    } else {
      out += c;
    }
  }
}

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

std::string with_port(std::string_view ip, unsigned port) {
  if (ip.empty()) return "-";
  return ip.find(':') == std::string_view::npos ? fmt::format("{}:{}", ip, port)
                                                : fmt::format("[{}]:{}", ip, port);
}

std::string trace_text(std::uint64_t connection_id) {
  return fmt::format("TID_{:016x}", connection_id);
}

std::string iso8601_us(std::int64_t wall_us) {
  const std::time_t seconds_part = wall_us / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds_part, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     wall_us % 1'000'000);
}

std::string_view resource_of(std::string_view arn) {
  constexpr std::string_view kind = ":loadbalancer/";
  if (const auto at = arn.find(kind); at != std::string_view::npos)
    return arn.substr(at + kind.size());
  return arn;
}

std::string seconds(std::int64_t us) {
  return us < 0 ? "-1" : fmt::format("{:.3f}", static_cast<double>(us) / 1e6);
}

}  // namespace weir::telemetry
