// The target of a request within its group: the chooser's, passing over those at a limit of
// weir.circuit_breaker.*.
#pragma once

#include <cstdint>
#include <optional>

#include "proxy/serving.hpp"

namespace weir::proxy {

// Nothing: no target may take the request (503). With `failed` another one, where there is one.
[[nodiscard]] std::optional<std::uint32_t> choose_target(
    Serving::Group& group, const balancing::ChoiceFacts& facts,
    std::optional<std::uint32_t> failed = std::nullopt);

// Whether the limits let the target take another request.
[[nodiscard]] bool admits(const Serving::Group& group, std::uint32_t target);

}  // namespace weir::proxy
