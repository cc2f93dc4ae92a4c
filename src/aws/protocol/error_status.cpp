#include "aws/protocol/error_status.hpp"

#include <algorithm>
#include <array>

namespace weir::aws {
namespace {

struct Common {
  std::string_view code;
  int status;
};

constexpr std::array common{
    Common{"AccessDenied", 403},
    Common{"AccessDeniedException", 403},
    Common{"AuthFailure", 403},
    Common{"DryRunOperation", 412},
    Common{"ExpiredToken", 403},
    Common{"InsufficientInstanceCapacity", 500},
    Common{"InternalError", 500},
    Common{"InternalFailure", 500},
    Common{"InvalidClientTokenId", 403},
    Common{"MalformedQueryString", 404},
    Common{"MissingAuthenticationToken", 403},
    Common{"OptInRequired", 403},
    Common{"RequestEntityTooLarge", 413},
    Common{"RequestLimitExceeded", 503},
    Common{"ServiceUnavailable", 503},
    Common{"SignatureDoesNotMatch", 403},
    Common{"UnauthorizedOperation", 403},
    Common{"Unavailable", 503},
    Common{"UnknownOperationException", 404},
};

}  // namespace

int error_status(const Description* description, std::string_view code) {
  if (description != nullptr) {
    const auto found = description->errors.find(code);
    if (found != description->errors.end()) return found->second.status;
  }
  const auto* found = std::ranges::find(common, code, &Common::code);
  return found == common.end() ? 400 : found->status;
}

}  // namespace weir::aws
