// ELBv2: all operations of the API, for application load balancers; what concerns network and
// gateway load balancers is refused (reference §8).
//
// Handlers translate. What holds for resources is control/'s; what is checked here is what the wire
// form alone knows: members that exclude each other, other types' members, tags that occur twice.
#pragma once

#include <functional>
#include <memory>

#include "aws/service.hpp"
#include "control/elb.hpp"
#include "control/registry.hpp"
#include "control/trust_stores.hpp"

namespace weir::aws {

struct Elbv2Parts {
  control::Registry& registry;  // outlives the service, as does the next
  control::Elb& elb;
  std::shared_ptr<control::TrustStores> trust_stores;
  // Returns when what has been committed is in force at every worker.
  std::function<void()> flush;
};

[[nodiscard]] std::unique_ptr<Service> make_elbv2_service(Elbv2Parts parts);

// By operation; what the service is made of.
[[nodiscard]] Handlers elbv2_handlers(const Elbv2Parts& parts);

}  // namespace weir::aws
