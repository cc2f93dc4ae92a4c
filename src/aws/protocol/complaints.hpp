// AWS's sentences about an input that is not as described, by protocol. EC2 names parameters and
// has codes of its own; the other services answer as the framework does that they share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/description/description.hpp"
#include "base/result.hpp"

namespace weir::aws {

[[nodiscard]] Error unknown_parameter(Protocol protocol, std::string_view path);

// The text at `path` is no value of the shape's kind.
[[nodiscard]] Error wrong_kind(Protocol protocol, std::string_view path, const Shape& shape,
                               std::string_view text);

[[nodiscard]] Error missing_parameter(std::string_view path);  // EC2

// "1 validation error detected: Value …"; `violations` is not empty.
[[nodiscard]] Error validation_failed(Protocol protocol,
                                      const std::vector<std::string>& violations);

// A refusal of sigv4/, whose codes are Query's, as the protocol says it.
[[nodiscard]] Error access_refused(Protocol protocol, Error error);

// There is no such operation; the nearest name is offered where one is near.
[[nodiscard]] Error unknown_operation(const Description& description, Protocol protocol,
                                      std::string_view name);

}  // namespace weir::aws
