// Rules that can never match, because an earlier rule takes every request that they would take.
//
// Told by implication, condition by condition, from the patterns alone: what is reported is true
// of every request, but not everything that is true is found (two rules that cover a third only
// together, regular expressions that are not the same text). Any thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/resources.hpp"

namespace weir::routing {

// Every request that meets `covered` meets `covering` too.
[[nodiscard]] bool covers(const model::Rule& covering, const model::Rule& covered);

struct Shadow {
  const model::Rule* covering = nullptr;
  const model::Rule* covered = nullptr;
};

// Those that `rule` is a part of, among the rules of its listener (itself may be among them): the
// first earlier rule that covers it, or else the later rules that it covers.
[[nodiscard]] std::vector<Shadow> shadows_with(std::span<const model::Rule* const> by_priority,
                                               const model::Rule& rule);

// Each is held against all before it: so many are some ten milliseconds.
inline constexpr std::size_t shadow_rules_max = 1'000;

// Among the first shadow_rules_max of a listener's rules: each covered one once, with the first
// that covers it.
[[nodiscard]] std::vector<Shadow> shadows_among(std::span<const model::Rule* const> by_priority);

}  // namespace weir::routing
