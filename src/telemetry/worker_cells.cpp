#include "telemetry/worker_cells.hpp"

#include <iterator>

namespace weir::telemetry {
namespace {

template <typename Map>
void prune_map(Map& map, std::int64_t now_ms) {
  for (auto it = map.begin(); it != map.end();) {
    auto& held = it->second;
    const bool is_used = held.cells->references > 1;
    if (is_used) {
      held.unused_since_ms = 0;
    } else if (held.unused_since_ms == 0) {
      held.unused_since_ms = now_ms;
    }
    const bool is_over = !is_used && now_ms - held.unused_since_ms > WorkerCells::kept_ms;
    it = is_over ? map.erase(it) : std::next(it);
  }
}

}  // namespace

void WorkerCells::prune(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  prune_map(balancers_, now_ms);
  prune_map(groups_, now_ms);
  prune_map(targets_, now_ms);
}

}  // namespace weir::telemetry
