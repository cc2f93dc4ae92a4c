// What `weir top` shows, from two answers of the daemon: what a second between them brought.
#pragma once

#include "daemon/json.hpp"

namespace weir::cli {

// {"seconds", "load_balancers", "target_groups", "targets"}: each entry with requests_per_second,
// 2xx_per_second and so on, connections, p50_ms and p99_ms (of a target: mean_ms), null where
// nothing was answered. What the first answer does not know is left at 0.
[[nodiscard]] daemon::Json top_rates(const daemon::Json& before, const daemon::Json& after);

}  // namespace weir::cli
