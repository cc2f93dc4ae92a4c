// From the weir.* attributes to what workers serve by; an attribute that is off leaves nothing.
#pragma once

#include <memory>

#include "model/resources.hpp"
#include "routing/snapshot.hpp"

namespace weir::routing {

// The buckets of `previous` (may be null) are kept where the limit is still the same.
[[nodiscard]] std::shared_ptr<const RateLimit> compile_rate_limit(const model::LoadBalancer& source,
                                                                  const Snapshot* previous);

// nullptr: off.
[[nodiscard]] std::shared_ptr<const traffic::CompressionPolicy> compile_compression(
    const model::LoadBalancer& source);

[[nodiscard]] traffic::RetryPolicy compile_retry(const model::TargetGroup& source);

}  // namespace weir::routing
