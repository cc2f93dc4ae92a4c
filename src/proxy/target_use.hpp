// An exchange's use of its target, as the target's load tells of it: in flight from begin() to
// end(), and once what came of it.
#pragma once

#include <cstdint>

#include "routing/snapshot.hpp"

namespace weir::proxy {

class TargetUse {
 public:
  // `group` and `load` are of the exchange's snapshot and outlive the use.
  void begin(const routing::TargetGroup& group, routing::TargetLoad& load,
             bool waits_for_connection);
  void connected();
  void answered(int status, std::int64_t now_ms);
  // The target did not answer: no connection, a broken one, nonsense, or nothing in time.
  void failed(std::int64_t now_ms);
  void end();

  // The registration has ended while the exchange was under way.
  [[nodiscard]] bool is_over() const { return load_ != nullptr && load_->is_over; }

 private:
  const routing::TargetGroup* group_ = nullptr;
  routing::TargetLoad* load_ = nullptr;
  std::int64_t began_ns_ = 0;  // P2C only
  bool waits_for_connection_ = false;
  bool is_recorded_ = false;
};

}  // namespace weir::proxy
