// The end of registrations (reference §4.8): a target that a snapshot no longer holds, though its
// group does, has been deregistered and its delay is over. A group that has gone as a whole, with
// its rules or its load balancer, is a change of the configuration and cuts nothing off.
#pragma once

#include "proxy/serving.hpp"

namespace weir::proxy {

// Marks the worker's loads of the targets in `before` whose registration `now` has ended. False:
// none.
[[nodiscard]] bool end_registrations(Serving& before, const routing::Snapshot& now);

}  // namespace weir::proxy
