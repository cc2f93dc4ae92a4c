#include "daemon/open_metrics.hpp"

#include <cstdio>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace weir::daemon {

Result<std::unique_ptr<metrics::MetricStore>> open_metrics(const std::string& file) {
  auto opened = metrics::MetricStore::open(file, wall_ms);
  if (opened || opened.error().code != "StoreDamaged") return opened;
  log::warn("{}; it is set aside as {}.damaged", opened.error().message, file);
  std::rename(file.c_str(), (file + ".damaged").c_str());
  std::remove((file + "-wal").c_str());
  return metrics::MetricStore::open(file, wall_ms);
}

}  // namespace weir::daemon
