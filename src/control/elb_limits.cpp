#include "control/elb_limits.hpp"

#include <array>

#include "model/limits.hpp"

namespace weir::control {
namespace {

constexpr Limits of_aws{
    .load_balancers = 50,
    .target_groups = 3000,
    .listeners_per_load_balancer = 50,
    .rules_per_load_balancer = 100,
    .target_groups_per_load_balancer = 100,
    .targets_per_load_balancer = 1000,
    .targets_per_target_group = 1000,
    .registrations_of_a_target_per_load_balancer = 1000,
    .certificates_per_load_balancer = 25,
    .trust_stores = 20,
    .revocations_per_trust_store = 30,
    .revocation_entries_per_trust_store = 500'000,
    .ca_certificates_per_trust_store = 25,
    .capacity_units = 1500,
    .capacity_decreases_per_day = 2,
};

constexpr Limits of_weir{
    .load_balancers = 1000,
    .target_groups = 20'000,
    .listeners_per_load_balancer = 500,
    .rules_per_load_balancer = 50'000,
    .target_groups_per_load_balancer = 20'000,
    .targets_per_load_balancer = 100'000,
    .targets_per_target_group = 100'000,
    .registrations_of_a_target_per_load_balancer = 50'000,
    .certificates_per_load_balancer = 10'000,
    .trust_stores = 1000,
    .revocations_per_trust_store = 30,
    .revocation_entries_per_trust_store = 500'000,
    .ca_certificates_per_trust_store = 500,
    .capacity_units = 1'000'000,
    .capacity_decreases_per_day = 1'000'000,
};

namespace fixed = model::limits;

constexpr auto names = std::to_array<LimitName>({
    {"application-load-balancers", [](const Limits& l) { return l.load_balancers; }},
    {"target-groups", [](const Limits& l) { return l.target_groups; }},
    {"listeners-per-application-load-balancer",
     [](const Limits& l) { return l.listeners_per_load_balancer; }},
    {"rules-per-application-load-balancer",
     [](const Limits& l) { return l.rules_per_load_balancer; }},
    {"condition-values-per-alb-rule", [](const Limits&) { return fixed::values_per_rule_max; }},
    {"condition-wildcards-per-alb-rule",
     [](const Limits&) { return fixed::wildcards_per_rule_max; }},
    {"certificates-per-application-load-balancer",
     [](const Limits& l) { return l.certificates_per_load_balancer; }},
    {"target-groups-per-application-load-balancer",
     [](const Limits& l) { return l.target_groups_per_load_balancer; }},
    {"target-groups-per-action-on-application-load-balancer",
     [](const Limits&) { return fixed::target_groups_per_forward_max; }},
    {"targets-per-application-load-balancer",
     [](const Limits& l) { return l.targets_per_load_balancer; }},
    {"targets-per-target-group", [](const Limits& l) { return l.targets_per_target_group; }},
    {"target-id-registrations-per-application-load-balancer",
     [](const Limits& l) { return l.registrations_of_a_target_per_load_balancer; }},
});

}  // namespace

const Limits& raised_limits() { return of_weir; }
const Limits& aws_limits() { return of_aws; }

const Limits* limits_named(std::string_view name) {
  if (name == "raised") return &of_weir;
  if (name == "aws") return &of_aws;
  return nullptr;
}

std::span<const LimitName> limit_names() { return names; }

}  // namespace weir::control
