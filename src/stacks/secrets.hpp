// Values of NoEcho parameters are nowhere kept. What is kept tells only whether a value that comes
// later is the same one: a digest that is slow to make (scrypt) and has a salt of its own, so that
// whoever reads it cannot try many words, nor see that two secrets are equal.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::stacks {

// "scrypt:SALT:DIGEST", in hexadecimal digits; about 50 ms.
[[nodiscard]] Result<std::string> seal(std::string_view secret);

// Whether `sealed` was made from this secret. False where it is not of that form.
[[nodiscard]] bool is_sealed_from(std::string_view sealed, std::string_view secret);

}  // namespace weir::stacks
