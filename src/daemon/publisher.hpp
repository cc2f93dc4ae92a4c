// From the resources to what workers serve by: one thread that compiles and applies snapshots.
//
// A commit that touches load balancing or an instance makes the routing dirty; the publisher
// compiles the newest state, so a burst of commits costs a few snapshots only. `flush` returns when
// all that was committed before the call is in force at every worker.
#pragma once

#include <functional>
#include <memory>

#include "base/result.hpp"
#include "control/registry.hpp"
#include "daemon/change_signal.hpp"
#include "health/checker.hpp"
#include "proxy/data_plane.hpp"

namespace weir::daemon {

class Publisher {
 public:
  struct Parts {  // all outlive the Publisher
    control::Registry& registry;
    health::Checker& checker;
    proxy::DataPlane& data_plane;
    // Told of the nodes' private addresses before targets see them as a source.
    std::function<Status(const std::vector<std::string>&)> set_node_addresses;
    std::shared_ptr<ChangeSignal> changes;  // raised after a commit and after a publication
  };
  static std::unique_ptr<Publisher> start(Parts parts);
  virtual ~Publisher() = default;  // publishes nothing more; ends the thread

  virtual void flush() = 0;

 protected:
  Publisher() = default;
};

}  // namespace weir::daemon
