// Programmer errors stop the program, in every build: the checks are cheap. Never an assertion on a
// byte from outside.
#pragma once

namespace weir {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace weir

#define WEIR_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::weir::assertion_failed(#expression, __FILE__, __LINE__))
