#include "daemon/api_services.hpp"

#include "aws/cloudformation/cloudformation_service.hpp"
#include "aws/cloudwatch/cloudwatch_service.hpp"
#include "aws/ec2/ec2_service.hpp"
#include "aws/elbv2/elbv2_service.hpp"
#include "aws/sts/sts_service.hpp"
#include "base/clock.hpp"
#include "compute/image.hpp"
#include "control/trust_stores.hpp"

namespace weir::daemon {

std::vector<std::unique_ptr<aws::Service>> make_services(
    Parts& parts, const std::shared_ptr<const aws::Access>& access) {
  std::vector<std::unique_ptr<aws::Service>> services;
  services.push_back(aws::make_sts_service(access));
  // What calls would read from S3 lies in a folder of the state.
  const control::LocalObjects objects(parts.state_dir + "/s3");
  services.push_back(aws::make_elbv2_service(
      {parts.registry, parts.elb,
       std::make_shared<control::TrustStores>(parts.registry, objects, parts.elb.limits()),
       [&publisher = parts.publisher] { publisher.flush(); }}));
  services.push_back(aws::make_ec2_service(
      {parts.registry, parts.ec2, [dir = parts.state_dir] { return compute::list_images(dir); }}));
  services.push_back(aws::make_cloudformation_service(
      {parts.registry, parts.engine, [&publisher = parts.publisher] { publisher.flush(); }}));
  services.push_back(aws::make_cloudwatch_service({parts.metrics, wall_ms}));
  return services;
}

}  // namespace weir::daemon
