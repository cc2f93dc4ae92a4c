// What of the snapshot before is still there in the next: a worker takes over the pools and
// counters of targets that stay, so that a change among ten thousand costs it no ten thousand
// look-ups.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "routing/snapshot.hpp"

namespace weir::proxy {

inline constexpr std::uint32_t not_before = ~std::uint32_t{0};

// nullptr: there is none. `before` may be null.
[[nodiscard]] const routing::TargetGroup* group_before(const routing::Snapshot* before,
                                                       std::string_view arn);

// For each target of `now` the position of the same id and port in `before` (may be null), or
// not_before.
[[nodiscard]] std::vector<std::uint32_t> targets_before(const routing::TargetGroup& now,
                                                        const routing::TargetGroup* before);

}  // namespace weir::proxy
