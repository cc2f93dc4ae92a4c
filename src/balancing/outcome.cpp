#include "balancing/outcome.hpp"

#include <algorithm>

namespace weir::balancing {
namespace {

// Each ejection lasts longer than the one before; good standing for as long as one takes it back.
void eject(const routing::TargetGroup& group, routing::TargetLoad& load, std::int64_t now_ms) {
  const auto& policy = group.policy.outlier_ejection;
  const std::int64_t good_ms = now_ms - load.ejected_until_ms.get();
  if (good_ms < 0) return;  // it is out already; this request began before
  const auto forgiven =
      static_cast<std::uint32_t>(std::min<std::int64_t>(good_ms / policy.base_ms, load.ejections));
  load.ejections = load.ejections - forgiven + 1;
  load.ejected_until_ms.set(now_ms + std::min(policy.base_ms * load.ejections, policy.most_ms));
  group.health_epoch->fetch_add(1, std::memory_order_release);
}

}  // namespace

void record(const routing::TargetGroup& group, routing::TargetLoad& load, Outcome outcome,
            std::int64_t now_ms) {
  load.requests.add(1);
  if (outcome == Outcome::answered) {
    if (load.failures_in_a_row.get() != 0) load.failures_in_a_row.set(0);
    return;
  }
  load.failures.add(1);
  load.failures_in_a_row.add(1);
  const auto& policy = group.policy.outlier_ejection;
  if (!policy.is_on() || load.failures_in_a_row.get() < policy.failures_in_a_row) return;
  load.failures_in_a_row.set(0);
  eject(group, load, now_ms);
}

}  // namespace weir::balancing
