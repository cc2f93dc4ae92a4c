#include "base/clock.hpp"

#include <fmt/format.h>

#include <ctime>

namespace weir {
namespace {

std::int64_t read_ns(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

std::int64_t monotonic_ns() { return read_ns(CLOCK_MONOTONIC); }
std::int64_t monotonic_ms() { return monotonic_ns() / 1'000'000; }
std::int64_t wall_us() { return read_ns(CLOCK_REALTIME) / 1000; }
std::int64_t wall_ms() { return read_ns(CLOCK_REALTIME) / 1'000'000; }

std::string iso8601(std::int64_t wall_time_ms) {
  const std::time_t seconds = wall_time_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     wall_time_ms % 1000);
}

}  // namespace weir
