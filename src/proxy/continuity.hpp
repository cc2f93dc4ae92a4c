// What of a target group before a change is still there after it: a worker takes over the pools and
// counters of targets that stay, so that a change among ten thousand costs it no ten thousand
// look-ups.
#pragma once

#include <cstdint>
#include <vector>

#include "routing/snapshot.hpp"

namespace weir::proxy {

inline constexpr std::uint32_t not_before = ~std::uint32_t{0};

// One a target of the group as it is now.
struct Continuity {
  struct Target {
    std::uint32_t before = not_before;  // position of the same id and port
    bool is_same = false;               // nothing about it has changed
  };
  std::vector<Target> targets;
};

// `before` may be null.
[[nodiscard]] Continuity continuity(const routing::TargetGroup& now,
                                    const routing::TargetGroup* before);

}  // namespace weir::proxy
