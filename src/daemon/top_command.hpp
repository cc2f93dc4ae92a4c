// `weir top`, the daemon's side: the counters as they are now. Rates are the reader's work, from
// two answers; so watching costs the daemon nothing between them, and any number may watch.
#pragma once

#include <cstdint>

#include "daemon/json.hpp"
#include "routing/snapshot.hpp"
#include "telemetry/totals.hpp"

namespace weir::daemon {

// {"time_ms", "load_balancers", "target_groups", "targets"}. A "times" is a histogram: pairs of
// bucket (telemetry::Buckets) and count, only where there is one.
[[nodiscard]] Json top_json(const telemetry::Totals& totals, const routing::Snapshot& snapshot,
                            std::int64_t monotonic_now_ms);

}  // namespace weir::daemon
