// Targets in the lists of snapshots do not change: a test puts a changed one in its place.
#pragma once

#include <cstddef>
#include <utility>

#include "routing/snapshot.hpp"

namespace weir::routing {

// edit(group.targets, 1, [](Target& it) { it.draining = true; })
template <typename Change>
void edit(TargetList& targets, std::size_t at, Change change) {
  Target changed = targets[at];
  change(changed);
  targets.replace(targets.begin() + static_cast<std::ptrdiff_t>(at), std::move(changed));
}

}  // namespace weir::routing
