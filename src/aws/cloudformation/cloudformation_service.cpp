#include "aws/cloudformation/cloudformation_service.hpp"

#include "aws/cloudformation/handlers.hpp"
#include "aws/description/description.hpp"

namespace weir::aws {

Handlers cloudformation_handlers(const CloudFormationParts& parts) {
  const auto shared = std::make_shared<cloudformation::Shared>(parts);
  Handlers handlers;
  for (const auto add : {cloudformation::add_changing, cloudformation::add_reading,
                         cloudformation::add_templates, cloudformation::add_change_sets}) {
    add(handlers, shared);
  }
  return handlers;
}

std::unique_ptr<Service> make_cloudformation_service(CloudFormationParts parts) {
  return std::make_unique<Service>(embedded_description("cloudformation"),
                                   cloudformation_handlers(parts));
}

}  // namespace weir::aws
