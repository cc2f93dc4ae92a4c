#include "daemon/api_services.hpp"

#include "aws/sts/sts_service.hpp"

namespace weir::daemon {

std::vector<std::unique_ptr<aws::Service>> make_services(
    Parts&, const std::shared_ptr<const aws::Access>& access) {
  std::vector<std::unique_ptr<aws::Service>> services;
  services.push_back(aws::make_sts_service(access));
  return services;
}

}  // namespace weir::daemon
