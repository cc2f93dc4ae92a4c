// The services of the API's endpoint.
#pragma once

#include <memory>
#include <vector>

#include "aws/service.hpp"
#include "aws/sigv4/access.hpp"
#include "daemon/parts.hpp"

namespace weir::daemon {

// What they use of `parts` must outlive them.
[[nodiscard]] std::vector<std::unique_ptr<aws::Service>> make_services(
    Parts& parts, const std::shared_ptr<const aws::Access>& access);

}  // namespace weir::daemon
