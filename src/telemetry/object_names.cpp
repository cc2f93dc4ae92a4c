#include "telemetry/object_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "telemetry/log_text.hpp"

namespace weir::telemetry {
namespace {

constexpr std::string_view part_suffix = ".part";
constexpr std::string_view sealed_suffix = ".log";

struct KindNames {
  std::string_view file;         // on this machine
  std::string_view prefix;       // of the object's name
  std::string_view test_object;  // AWS's
};

const KindNames& names_of(routing::LogKind kind) {
  static constexpr std::array<KindNames, static_cast<std::size_t>(routing::LogKind::count_)> all{{
      {"access.log", "", "ELBAccessLogTestFile"},
      {"connection.log", "conn_log_", "ELBConnectionLogTestFile"},
      {"health_check.log", "health_check_log_", "ELBHealthCheckLogTestFile"},
  }};
  return all[static_cast<std::size_t>(kind)];
}

// The part of an ARN with this number: "arn:partition:service:region:account:…".
std::string_view arn_part(std::string_view arn, int number) {
  for (; number > 0; --number) {
    const auto colon = arn.find(':');
    if (colon == std::string_view::npos) return {};
    arn.remove_prefix(colon + 1);
  }
  return arn.substr(0, arn.find(':'));
}

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

bool is_address(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '.' || c == ':';
  });
}

std::string end_text(std::int64_t end_us) {
  const std::time_t seconds = end_us / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min);
}

// Where the text behind the `count`-th underscore from the end begins; npos: there are fewer.
std::size_t behind_underscore(std::string_view text, int count) {
  std::size_t end = text.size();
  for (; count > 0; --count) {
    end = text.substr(0, end).rfind('_');
    if (end == std::string_view::npos) return end;
  }
  return end + 1;
}

}  // namespace

std::string_view file_name_of(routing::LogKind kind) { return names_of(kind).file; }

std::optional<ObjectNames> ObjectNames::of(std::string_view load_balancer_arn,
                                           routing::LogKind kind,
                                           const routing::LogPolicy::Bucket& bucket) {
  const std::string_view region = arn_part(load_balancer_arn, 3);
  const std::string_view account = arn_part(load_balancer_arn, 4);
  std::string resource(resource_of(load_balancer_arn));
  std::ranges::replace(resource, '/', '-');
  if (!is_name(region) || !is_name(account) || !is_name(resource)) return std::nullopt;
  resource = resource_of(load_balancer_arn);
  std::ranges::replace(resource, '/', '.');

  const KindNames& names = names_of(kind);
  const std::string folder = fmt::format("{}/{}{}AWSLogs/{}", bucket.name, bucket.prefix,
                                         bucket.prefix.empty() ? "" : "/", account);
  ObjectNames out;
  out.test_object_ = fmt::format("{}/{}", folder, names.test_object);
  out.stem_ = fmt::format("{}/elasticloadbalancing/{}/{}{}_elasticloadbalancing_{}_{}", folder,
                          region, names.prefix, account, region, resource);
  return out;
}

std::string ObjectNames::part(std::string_view node_ip) const {
  return fmt::format("{}_{}{}", stem_, is_address(node_ip) ? node_ip : "-", part_suffix);
}

std::optional<std::string> sealed_name(std::string_view part, std::int64_t end_us,
                                       std::string_view random) {
  if (!part.ends_with(part_suffix)) return std::nullopt;
  part.remove_suffix(part_suffix.size());
  const std::size_t ip = behind_underscore(part, 1);
  if (ip == std::string_view::npos) return std::nullopt;
  return fmt::format("{}{}_{}_{}{}", part.substr(0, ip), end_text(end_us), part.substr(ip), random,
                     sealed_suffix);
}

std::optional<std::string> object_name(std::string_view sealed) {
  if (!sealed.ends_with(sealed_suffix)) return std::nullopt;
  const std::size_t slash = sealed.rfind('/');
  const std::size_t at = behind_underscore(sealed, 3);
  if (slash == std::string_view::npos || at == std::string_view::npos || at < slash)
    return std::nullopt;
  const std::string_view end = sealed.substr(at, sealed.find('_', at) - at);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (end.size() != 14 || !std::ranges::all_of(end.substr(0, 8), is_digit)) return std::nullopt;
  return fmt::format("{}/{}/{}/{}/{}.gz", sealed.substr(0, slash), end.substr(0, 4),
                     end.substr(4, 2), end.substr(6, 2), sealed.substr(slash + 1));
}

}  // namespace weir::telemetry
