#include "telemetry/worker_cells.hpp"

namespace weir::telemetry {
namespace {

template <typename Map>
void prune_map(Map& map, std::int64_t now_ms) {
  std::erase_if(map, [&](auto& entry) {
    auto& held = entry.second;
    if (held.cells->references > 1) {
      held.unused_since_ms = 0;
      return false;
    }
    if (held.unused_since_ms == 0) held.unused_since_ms = now_ms;
    return now_ms - held.unused_since_ms > WorkerCells::kept_ms;
  });
}

}  // namespace

void WorkerCells::prune(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  prune_map(balancers_, now_ms);
  prune_map(groups_, now_ms);
  prune_map(targets_, now_ms);
}

}  // namespace weir::telemetry
