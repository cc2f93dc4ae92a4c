#include "aws/cloudwatch/cloudwatch_service.hpp"

#include "aws/cloudwatch/handlers.hpp"
#include "aws/description/description.hpp"

namespace weir::aws {

Handlers cloudwatch_handlers(const CloudWatchParts& parts) {
  Handlers handlers;
  cloudwatch::add_reading(handlers, parts);
  cloudwatch::add_putting(handlers, parts);
  return handlers;
}

std::unique_ptr<Service> make_cloudwatch_service(const CloudWatchParts& parts) {
  return std::make_unique<Service>(embedded_description("cloudwatch"), cloudwatch_handlers(parts));
}

}  // namespace weir::aws
