// The metrics as Prometheus reads them: text format 0.0.4.
//
// Names begin with weir_; labels are load_balancer ("app/name/id"), target_group ("name/id"), zone
// and target ("id:port"). Durations are histograms in seconds, with a bucket a power of two of
// microseconds.
#pragma once

#include <string>

#include "routing/snapshot.hpp"
#include "telemetry/totals.hpp"

namespace weir::telemetry {

// `snapshot` says which targets there are and how they are.
[[nodiscard]] std::string prometheus_text(const Totals& totals, const routing::Snapshot& snapshot);

}  // namespace weir::telemetry
