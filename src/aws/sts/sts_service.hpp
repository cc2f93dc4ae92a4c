// AWS Security Token Service: who calls.
#pragma once

#include <memory>

#include "aws/service.hpp"

namespace weir::aws {

[[nodiscard]] std::unique_ptr<Service> make_sts_service();

}  // namespace weir::aws
