// The keys of stickiness cookies: made here, kept in the store, handed to workers in snapshots.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "control/registry.hpp"

namespace weir::control {

// A key seals cookies for so long and opens them for as long again: no session that a duration
// allows (7 days at the most) ends early because of a rotation.
inline constexpr std::int64_t stickiness_key_age_ms_max = std::int64_t{7} * 24 * 3600 * 1000;

// Makes a key where there is none or the newest is too old, and forgets those before the last one.
// Cheap where nothing is due.
Status rotate_stickiness_keys(Registry& registry, std::int64_t now_ms);

}  // namespace weir::control
