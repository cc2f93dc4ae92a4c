#include "proxy/target_use.hpp"

#include "balancing/latency.hpp"
#include "balancing/outcome.hpp"
#include "base/clock.hpp"

namespace weir::proxy {

void TargetUse::begin(const routing::TargetGroup& group, routing::TargetLoad& load,
                      bool waits_for_connection) {
  end();
  group_ = &group;
  load_ = &load;
  is_recorded_ = false;
  waits_for_connection_ = waits_for_connection;
  load.outstanding.add(1);
  if (waits_for_connection) load.connecting.add(1);
  // The loop's clock is too coarse to tell good targets from better ones.
  if (group.policy.algorithm == routing::Algorithm::p2c_ewma) began_ns_ = monotonic_ns();
}

void TargetUse::connected() {
  if (load_ == nullptr || !waits_for_connection_) return;
  waits_for_connection_ = false;
  load_->connecting.subtract(1);
}

void TargetUse::answered(int status, std::int64_t now_ms) {
  if (load_ == nullptr || is_recorded_) return;
  is_recorded_ = true;
  using balancing::Outcome;
  balancing::record(*group_, *load_, status >= 500 ? Outcome::failed : Outcome::answered, now_ms);
  if (group_->policy.algorithm != routing::Algorithm::p2c_ewma) return;
  balancing::note_latency(*load_, static_cast<double>(monotonic_ns() - began_ns_) / 1000.0, now_ms);
}

void TargetUse::failed(std::int64_t now_ms) {
  if (load_ == nullptr || is_recorded_) return;
  is_recorded_ = true;
  balancing::record(*group_, *load_, balancing::Outcome::failed, now_ms);
  // A target that refuses quickly must not look like a fast one.
  constexpr double failed_us = 1e6;
  if (group_->policy.algorithm == routing::Algorithm::p2c_ewma)
    balancing::note_latency(*load_, failed_us, now_ms);
}

void TargetUse::end() {
  if (load_ == nullptr) return;
  connected();
  load_->outstanding.subtract(1);
  load_ = nullptr;
}

}  // namespace weir::proxy
