// From the weir.* attributes to what workers serve by; an attribute that is off leaves nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "model/resources.hpp"
#include "routing/snapshot.hpp"

namespace weir::routing {

// The buckets of `previous` (may be null) are kept where the limit is still the same.
[[nodiscard]] std::shared_ptr<const RateLimit> compile_rate_limit(const model::LoadBalancer& source,
                                                                  const Snapshot* previous);

// nullptr: off.
[[nodiscard]] std::shared_ptr<const traffic::CompressionPolicy> compile_compression(
    const model::LoadBalancer& source);

// The ARN of the group that gets copies of this one's requests; empty: none.
[[nodiscard]] std::string mirror_arn(const model::TargetGroup& source);
[[nodiscard]] std::uint32_t mirror_percent(const model::TargetGroup& source);

[[nodiscard]] traffic::RetryPolicy compile_retry(const model::TargetGroup& source);

}  // namespace weir::routing
