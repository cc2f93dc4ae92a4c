// The metrics' history in the state folder.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "metrics/metric_store.hpp"

namespace weir::daemon {

// Opens `file`. A damaged one is set aside (as FILE.damaged) and begun anew: the history of the
// metrics is worth less than a daemon that serves.
[[nodiscard]] Result<std::unique_ptr<metrics::MetricStore>> open_metrics(const std::string& file);

}  // namespace weir::daemon
