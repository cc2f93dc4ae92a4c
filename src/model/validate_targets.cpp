// Health checks: reference §4.5.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "model/limits.hpp"
#include "model/validate.hpp"

namespace weir::model {
namespace {

std::unexpected<Error> refuse(std::string message) {
  return fail("ValidationError", std::move(message));
}

Status validate_range(std::string_view what, int value, int low, int high) {
  if (value < low || value > high) {
    return refuse(
        fmt::format("{} '{}' must be between {} and {}, inclusive", what, value, low, high));
  }
  return {};
}

std::optional<int> code_of(std::string_view text) {
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (text.size() != 3 || error != std::errc{} || end != text.data() + text.size() ||
      code < limits::health_code_min || code > limits::health_code_max) {
    return std::nullopt;
  }
  return code;
}

bool is_code_or_range(std::string_view item) {
  const std::size_t hyphen = item.find('-');
  if (hyphen == std::string_view::npos) return code_of(item).has_value();
  const auto low = code_of(item.substr(0, hyphen));
  const auto high = code_of(item.substr(hyphen + 1));
  return low && high && *low <= *high;
}

Status validate_path(const std::string& path) {
  const bool is_text = std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7F; });
  if (!path.starts_with('/') || path.size() > limits::health_path_chars_max || !is_text) {
    return refuse(
        fmt::format("Health check path '{}' must start with '/' and have 1 to {} visible "
                    "ASCII characters",
                    is_valid_utf8(path) ? path : "?", limits::health_path_chars_max));
  }
  return {};
}

Status validate_check_port(const std::string& port) {
  if (port == "traffic-port") return {};
  int number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size() || number < 1 || number > 65'535) {
    return refuse(
        fmt::format("Health check port '{}' must be 'traffic-port' or in the range 1-65535", port));
  }
  return {};
}

}  // namespace

Status validate_http_codes(std::string_view codes) {
  for (std::size_t begin = 0; begin <= codes.size();) {
    const std::size_t comma = std::min(codes.find(',', begin), codes.size());
    if (!is_code_or_range(codes.substr(begin, comma - begin))) {
      return fail("InvalidParameterValue",
                  fmt::format("Health check matcher HTTP code '{}' must be within '200-499' "
                              "inclusive, like 200 | 200-399 | 200,201",
                              codes));
    }
    begin = comma + 1;
  }
  return {};
}

Status validate_health_check(const HealthCheck& check, std::string_view target_type) {
  if (!check.enabled && target_type != "lambda") {
    return refuse(fmt::format(
        "Health check enabled must be true for target groups with target type '{}'", target_type));
  }
  if (check.protocol != "HTTP" && check.protocol != "HTTPS") {
    return refuse(
        fmt::format("1 validation error detected: Value '{}' at 'healthCheckProtocol' "
                    "failed to satisfy constraint: Member must satisfy enum value set: "
                    "[HTTP, HTTPS]",
                    check.protocol));
  }
  if (auto valid = validate_check_port(check.port); !valid) return valid;
  if (auto valid = validate_path(check.path); !valid) return valid;
  if (auto valid =
          validate_range("Health check timeout", check.timeout_seconds,
                         limits::health_timeout_seconds_min, limits::health_timeout_seconds_max);
      !valid) {
    return valid;
  }
  if (auto valid =
          validate_range("Health check interval", check.interval_seconds,
                         limits::health_interval_seconds_min, limits::health_interval_seconds_max);
      !valid) {
    return valid;
  }
  if (check.timeout_seconds >= check.interval_seconds) {
    return refuse(fmt::format("Health check timeout '{}' must be smaller than the interval '{}'",
                              check.timeout_seconds, check.interval_seconds));
  }
  if (auto valid = validate_range("Healthy threshold count", check.healthy_threshold,
                                  limits::health_threshold_min, limits::health_threshold_max);
      !valid) {
    return valid;
  }
  if (auto valid = validate_range("Unhealthy threshold count", check.unhealthy_threshold,
                                  limits::health_threshold_min, limits::health_threshold_max);
      !valid) {
    return valid;
  }
  return validate_http_codes(check.http_codes);
}

}  // namespace weir::model
