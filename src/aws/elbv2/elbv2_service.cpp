#include "aws/elbv2/elbv2_service.hpp"

#include "aws/description/description.hpp"
#include "aws/elbv2/handlers.hpp"

namespace weir::aws {

Handlers elbv2_handlers(const Elbv2Parts& parts) {
  Handlers handlers;
  for (const auto add :
       {elbv2::add_load_balancers, elbv2::add_listeners, elbv2::add_rules, elbv2::add_target_groups,
        elbv2::add_targets, elbv2::add_tags, elbv2::add_trust_stores, elbv2::add_limits}) {
    add(handlers, parts);
  }
  return handlers;
}

std::unique_ptr<Service> make_elbv2_service(Elbv2Parts parts) {
  return std::make_unique<Service>(embedded_description("elbv2"), elbv2_handlers(parts));
}

}  // namespace weir::aws
