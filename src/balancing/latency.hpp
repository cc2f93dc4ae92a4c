// Latency of a target as P2C weighs it: an exponentially weighted mean that follows a rise at once
// and a fall slowly ("peak EWMA"), and forgets with time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "routing/target_load.hpp"

namespace weir::balancing {

inline constexpr double latency_memory_ms = 10'000;

[[nodiscard]] inline double latency_kept(const routing::TargetLoad& load, std::int64_t now_ms) {
  const auto age_ms = static_cast<double>(std::max<std::int64_t>(0, now_ms - load.latency_at_ms));
  return std::exp(-age_ms / latency_memory_ms);
}

// A target that has not been asked for long is taken for better and better, so it is tried again.
[[nodiscard]] inline double expected_latency_us(const routing::TargetLoad& load,
                                                std::int64_t now_ms) {
  return 1.0 + load.latency_us * latency_kept(load, now_ms);
}

inline void note_latency(routing::TargetLoad& load, double latency_us, std::int64_t now_ms) {
  const double kept = latency_kept(load, now_ms);
  const bool is_peak = latency_us > load.latency_us;
  // Answers within one millisecond count as well: each weighs at least this much.
  const double weight = is_peak ? 1.0 : std::max(1.0 - kept, 0.05);
  load.latency_us += (latency_us - load.latency_us) * weight;
  load.latency_at_ms = now_ms;
}

}  // namespace weir::balancing
