// Why a request meets the rule that it meets, for people: each rule by priority up to the one that
// takes it, and of every other the first condition that does not hold, with what it looked at.
//
// A plain interpreter over the rules as they are configured, that asks the very conditions that
// workers ask; that their compiled index chooses the same rule is a property test's matter.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/resources.hpp"
#include "routing/snapshot.hpp"

namespace weir::routing {

struct RuleVerdict {
  const model::Rule* rule = nullptr;
  const model::Condition* failed = nullptr;  // nullptr: the rule takes the request
  std::string seen;                          // "the path is /x": what `failed` looked at
};

// Up to and with the rule that takes the request; the default rule where none does.
[[nodiscard]] std::vector<RuleVerdict> explain(std::span<const model::Rule* const> by_priority,
                                               const RequestFacts& facts);

}  // namespace weir::routing
