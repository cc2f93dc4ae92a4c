#include "base/result.hpp"

#include <system_error>

namespace weir {

std::unexpected<Error> fail_errno(std::string what, int errno_value, std::string hint) {
  return fail("SystemError", what + ": " + std::generic_category().message(errno_value),
              std::move(hint));
}

}  // namespace weir
