// EC2: what deploying clusters takes (reference §9).
//
// Handlers translate. What holds for resources is control/'s; what is checked here is what the wire
// form alone knows: forms of ids, filters, pages, tags that occur twice.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "aws/service.hpp"
#include "control/ec2.hpp"
#include "control/registry.hpp"

namespace weir::aws {

struct Ec2Parts {
  control::Registry& registry;  // outlives the service, as does the next
  control::Ec2& ec2;
  std::function<std::vector<std::string>()> images;  // their ids, the built-in one first
};

[[nodiscard]] std::unique_ptr<Service> make_ec2_service(Ec2Parts parts);

// By operation; what the service is made of.
[[nodiscard]] Handlers ec2_handlers(const Ec2Parts& parts);

}  // namespace weir::aws
