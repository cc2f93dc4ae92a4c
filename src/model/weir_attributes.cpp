// The attributes that AWS does not have, all named weir.*: what operators ask their proxies for.
// What each does is in docs/alb-behaviour.md; without them Weir does what an ALB does.
#include <algorithm>
#include <array>

#include "model/attribute_values.hpp"
#include "model/limits.hpp"

namespace weir::model {
namespace {

constexpr std::size_t list_items_max = 32;

template <typename IsItem>
bool is_list_of(std::string_view value, IsItem is_item) {
  const auto items = items_of(value);
  return !items.empty() && items.size() <= list_items_max && std::ranges::all_of(items, is_item);
}

bool is_compression_algorithms(std::string_view value, const AttributeSpec&) {
  return value == "off" || is_list_of(value, [](std::string_view item) {
           return item == "br" || item == "gzip" || item == "zstd";
         });
}

// "text/html", "text/*".
bool is_content_types(std::string_view value, const AttributeSpec&) {
  return is_list_of(value, [](std::string_view item) {
    const auto slash = item.find('/');
    return slash != 0 && slash + 1 < item.size() && slash != std::string_view::npos &&
           is_token(item.substr(0, slash)) && is_token(item.substr(slash + 1));
  });
}

bool is_rate_limit_key(std::string_view value, const AttributeSpec&) {
  constexpr std::string_view header = "header:";
  if (!value.starts_with(header)) return value == "source-ip";
  const std::string_view name = value.substr(header.size());
  return !name.empty() && name.size() <= limits::header_name_chars_max && is_token(name);
}

bool is_retry_on(std::string_view value, const AttributeSpec&) {
  if (value == "off") return true;
  return is_list_of(value, [](std::string_view item) {
    if (item == "connect-failure" || item == "stale" || item == "reset" || item == "5xx")
      return true;
    const auto status = number(item);
    return item.size() == 3 && status && *status >= 400 && *status <= 599;
  });
}

bool is_arn_or_empty(std::string_view value, const AttributeSpec&) {
  return value.empty() ||
         (value.starts_with("arn:") && value.find(":targetgroup/") != std::string_view::npos);
}

constexpr auto load_balancer_specs = std::to_array<AttributeSpec>({
    word("weir.access_log.format", "off", "off | alb | json", in_force),
    range("weir.access_log.keep", "10", "1-100", 1, 100, in_force),
    range("weir.access_log.rotate_megabytes", "100", "1-10240", 1, 10'240, in_force),
    {"weir.compression.algorithms", "off", "off, or a list of br, gzip, zstd",
     is_compression_algorithms, in_force},
    {"weir.compression.content_types",
     "text/*,application/javascript,application/json,application/ld+json,application/manifest+json,"
     "application/wasm,application/xhtml+xml,application/xml,application/atom+xml,"
     "application/rss+xml,application/problem+json,font/otf,font/ttf,image/bmp,image/svg+xml,"
     "image/x-icon",
     "a list of at most 32 media types such as text/html or text/*", is_content_types, in_force},
    range("weir.compression.min_bytes", "1024", "0-1048576", 0, 1'048'576, in_force),
    flag("weir.connection_log.enabled", "false", in_force),
    flag("weir.health_check_log.enabled", "false", in_force),
    range("weir.rate_limit.burst", "0", "0-1000000", 0, 1'000'000, in_force),
    {"weir.rate_limit.key", "source-ip", "source-ip or header:NAME", is_rate_limit_key, in_force},
    range("weir.rate_limit.requests_per_second", "0", "0-1000000", 0, 1'000'000, in_force),
});

// Of one target.
constexpr AttributeSpec limit(std::string_view key) {
  return {key, "off", "off | 1-1000000", is_off_or_in_range, in_force, 1, 1'000'000};
}

constexpr auto target_group_specs = std::to_array<AttributeSpec>({
    limit("weir.circuit_breaker.max_connections"),
    limit("weir.circuit_breaker.max_pending"),
    limit("weir.circuit_breaker.max_requests"),
    word("weir.load_balancing.algorithm", "off", "off | p2c_ewma", in_force),
    range("weir.mirror.percent", "100", "0-100", 0, 100, in_force),
    {"weir.mirror.target_group_arn", "", "the ARN of a target group", is_arn_or_empty, in_force},
    flag("weir.outlier_ejection.enabled", "false", in_force),
    range("weir.outlier_ejection.consecutive_failures", "5", "1-1000", 1, 1000, in_force),
    range("weir.outlier_ejection.base_ejection_seconds", "30", "1-3600", 1, 3600, in_force),
    range("weir.outlier_ejection.max_ejection_seconds", "300", "1-86400", 1, 86'400, in_force),
    range("weir.outlier_ejection.max_ejection_percent", "10", "1-100", 1, 100, in_force),
    range("weir.retry.attempts", "2", "0-10", 0, 10, in_force),
    range("weir.retry.budget_percent", "20", "0-100", 0, 100, in_force),
    {"weir.retry.on", "connect-failure,stale",
     "off, or a list of connect-failure, stale, reset, 5xx, status codes", is_retry_on, in_force},
    range("weir.retry.per_try_timeout_ms", "0", "0-600000", 0, 600'000, in_force),
});

}  // namespace

std::vector<std::string_view> items_of(std::string_view list) {
  std::vector<std::string_view> items;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    items.push_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return items;
}

std::span<const AttributeSpec> weir_load_balancer_attributes() { return load_balancer_specs; }
std::span<const AttributeSpec> weir_target_group_attributes() { return target_group_specs; }

}  // namespace weir::model
