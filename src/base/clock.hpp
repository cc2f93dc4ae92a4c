// The two clocks: monotonic for intervals and deadlines, wall for what people and logs see.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

// Milliseconds / nanoseconds since an arbitrary start, never going back. Any thread.
[[nodiscard]] std::int64_t monotonic_ms();
[[nodiscard]] std::int64_t monotonic_ns();

// Milliseconds since 1970-01-01T00:00:00Z.
[[nodiscard]] std::int64_t wall_ms();
[[nodiscard]] std::int64_t wall_us();

// "2026-11-24T20:05:12.345Z", as the AWS APIs write times.
[[nodiscard]] std::string iso8601(std::int64_t wall_time_ms);

}  // namespace weir
