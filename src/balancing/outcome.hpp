// What the end of a request says of its target: counted in its load, and where outlier ejection is
// on, a target that failed too often in a row is ejected for a while (weir.outlier_ejection.*).
//
// Each worker judges by what it has seen itself; an ejection counts for all workers, since it
// raises the group's health epoch and their choosers look at all loads when they build their lists.
#pragma once

#include <cstdint>

#include "routing/snapshot.hpp"

namespace weir::balancing {

enum class Outcome : std::uint8_t {
  answered,
  failed,  // 5xx, no connection, or the connection broke before the answer
};

void record(const routing::TargetGroup& group, routing::TargetLoad& load, Outcome outcome,
            std::int64_t now_ms);

}  // namespace weir::balancing
