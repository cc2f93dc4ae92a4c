// AWS Security Token Service: who calls, and temporary credentials.
//
// There are no roles and no policies here: AssumeRole gives credentials for any role that is asked
// for, which may do what its caller may.
#pragma once

#include <memory>

#include "aws/service.hpp"
#include "aws/sigv4/access.hpp"

namespace weir::aws {

[[nodiscard]] std::unique_ptr<Service> make_sts_service(std::shared_ptr<const Access> access);

}  // namespace weir::aws
