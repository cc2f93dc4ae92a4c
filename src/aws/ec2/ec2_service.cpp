#include "aws/ec2/ec2_service.hpp"

#include "aws/description/description.hpp"
#include "aws/ec2/handlers.hpp"

namespace weir::aws {

Handlers ec2_handlers(const Ec2Parts& parts) {
  Handlers handlers;
  for (const auto add :
       {ec2::add_zones, ec2::add_vpcs, ec2::add_vpc_parts, ec2::add_security_groups,
        ec2::add_security_group_changes, ec2::add_security_group_rules, ec2::add_key_pairs,
        ec2::add_tags, ec2::add_instances, ec2::add_run_instances, ec2::add_instance_attributes,
        ec2::add_instance_types, ec2::add_images, ec2::add_volumes}) {
    add(handlers, parts);
  }
  return handlers;
}

std::unique_ptr<Service> make_ec2_service(Ec2Parts parts) {
  return std::make_unique<Service>(embedded_description("ec2"), ec2_handlers(parts));
}

}  // namespace weir::aws
