// What can be changed of a load balancer: reference §1.4, §1.5.
//
// Each verb is `changed`: the record is copied, a function changes and checks the copy, and it is
// put back; an error leaves the old one.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "control/elb.hpp"
#include "control/elb_checks.hpp"
#include "control/elb_network.hpp"
#include "model/attributes.hpp"

namespace weir::control {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

template <typename Change>
Result<model::LoadBalancer> changed(Registry& registry, const std::string& arn, Change change) {
  model::LoadBalancer load_balancer;
  auto done = registry.update([&](Draft& draft) -> Status {
    const auto old = find_load_balancer(draft.state(), arn);
    if (!old) return std::unexpected(old.error());
    load_balancer = **old;
    if (Status made = change(draft.state(), load_balancer); !made) return made;
    draft.put(load_balancer);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return load_balancer;
}

Status change_capacity(model::CapacityReservation& capacity, int units, const Limits& limits) {
  const std::int64_t now_ms = wall_ms();
  if (units < capacity.units) {
    const std::int64_t today = now_ms / day_ms;
    const int decreases = capacity.decreases_day == today ? capacity.decreases : 0;
    if (decreases >= limits.capacity_decreases_per_day) {
      return fail("CapacityDecreaseRequestLimitExceeded",
                  fmt::format("The limit of '{}' capacity decreases a day has been reached",
                              limits.capacity_decreases_per_day));
    }
    capacity.decreases = decreases + 1;
    capacity.decreases_day = today;
  }
  capacity.units = units;
  capacity.changed_at_ms = now_ms;
  return {};
}

}  // namespace

Result<model::LoadBalancer> Elb::modify_load_balancer_attributes(
    const std::string& arn, const model::Attributes& attributes) {
  return changed(registry_, arn, [&](const State&, model::LoadBalancer& load_balancer) {
    load_balancer.attributes = merged(load_balancer.attributes, attributes);
    return model::validate_load_balancer_attributes(load_balancer.attributes);
  });
}

Result<model::LoadBalancer> Elb::set_security_groups(const std::string& arn,
                                                     const std::vector<std::string>& ids) {
  if (ids.empty()) return fail("ValidationError", "At least one security group must be specified");
  return changed(registry_, arn,
                 [&](const State& state, model::LoadBalancer& load_balancer) -> Status {
                   auto found = find_security_groups(state, load_balancer.vpc_id, ids);
                   if (!found) return std::unexpected(found.error());
                   load_balancer.security_group_ids = std::move(*found);
                   return {};
                 });
}

Result<model::LoadBalancer> Elb::set_subnets(const std::string& arn,
                                             const std::vector<std::string>& ids) {
  return changed(
      registry_, arn, [&](const State& state, model::LoadBalancer& load_balancer) -> Status {
        const auto subnets = find_subnets(state, ids);
        if (!subnets) return std::unexpected(subnets.error());
        if (subnets->front()->vpc_id != load_balancer.vpc_id) {
          return fail("InvalidSubnet",
                      fmt::format("The subnet '{}' is not in the VPC '{}' of the load balancer",
                                  subnets->front()->id, load_balancer.vpc_id));
        }
        auto nodes = make_nodes(state, *subnets, load_balancer.nodes);
        if (!nodes) return std::unexpected(nodes.error());
        load_balancer.nodes = std::move(*nodes);
        return {};
      });
}

Result<model::LoadBalancer> Elb::set_ip_address_type(const std::string& arn,
                                                     const std::string& type) {
  return changed(registry_, arn, [&](const State&, model::LoadBalancer& load_balancer) -> Status {
    if (auto valid = check_ip_address_type(type); !valid) return valid;
    load_balancer.ip_address_type = type;
    return {};
  });
}

Result<model::LoadBalancer> Elb::modify_ip_pools(const std::string& arn,
                                                 const std::string& ipam_pool_id) {
  return changed(registry_, arn, [&](const State&, model::LoadBalancer& load_balancer) -> Status {
    if (auto valid = check_ipam_pool(ipam_pool_id); !valid) return valid;
    load_balancer.ipam_pool_id = ipam_pool_id;
    return {};
  });
}

Result<model::LoadBalancer> Elb::modify_capacity_reservation(const ModifyCapacityInput& input) {
  if (input.units.has_value() == input.is_reset) {
    return fail("ValidationError",
                "Either MinimumLoadBalancerCapacity or ResetCapacityReservation must be specified");
  }
  const int units = input.units.value_or(0);
  if (units < (input.is_reset ? 0 : 1)) {
    return fail("InvalidConfigurationRequest", "At least one capacity unit must be reserved");
  }
  if (units > limits_.capacity_units) {
    return fail(
        "CapacityUnitsLimitExceeded",
        fmt::format("The limit of '{}' capacity units is exceeded", limits_.capacity_units));
  }
  return changed(registry_, input.load_balancer_arn,
                 [&](const State&, model::LoadBalancer& load_balancer) {
                   return change_capacity(load_balancer.capacity, units, limits_);
                 });
}

}  // namespace weir::control
