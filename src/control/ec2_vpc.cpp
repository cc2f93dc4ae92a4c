// The default VPC: reference §9.5. One subnet per zone, cut from its range in order.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ids.hpp"
#include "control/addresses.hpp"
#include "control/ec2_impl.hpp"
#include "control/references.hpp"
#include "control/resolve.hpp"
#include "model/cidr.hpp"

namespace weir::control {
namespace {

constexpr std::string_view zone_letters = "abcdef";  // those that us-east-1 has

// AWS's own first; then ranges that few networks use.
constexpr std::array<std::string_view, 6> candidates = {"172.31.0.0/16",    "10.77.0.0/16",
                                                        "10.78.0.0/16",     "10.213.0.0/16",
                                                        "192.168.224.0/19", "100.99.0.0/16"};

constexpr int vpc_prefix_min = 16;  // EC2: a VPC has /16 to /28;
constexpr int vpc_prefix_max = 25;  // six subnets of at least /28 need a /25

// /20 in a /16, as at AWS. Eight subnets must fit, and load balancers need a /27 each.
int subnet_prefix(int vpc_prefix) { return std::max(vpc_prefix + 3, std::min(vpc_prefix + 4, 27)); }

Result<model::Cidr> parse_vpc_cidr(const std::string& text) {
  const auto cidr = model::Cidr::parse(text);
  if (!cidr) return cidr;
  if (cidr->to_string() != text) {
    return fail("InvalidVpc.Range", fmt::format("The VPC range {} has host bits set; {} is meant?",
                                                text, cidr->to_string()));
  }
  if (cidr->prefix() < vpc_prefix_min || cidr->prefix() > vpc_prefix_max) {
    return fail("InvalidVpc.Range", fmt::format("The VPC range {} must be between /{} and /{}",
                                                text, vpc_prefix_min, vpc_prefix_max));
  }
  return cidr;
}

std::unexpected<Error> clash(const std::string& cidr, std::string hint) {
  return fail("VpcClash",
              fmt::format("The VPC range {} overlaps a route or address of this machine", cidr),
              std::move(hint));
}

// The range of a new VPC: the one asked for, or the first that is free on this machine.
Result<std::string> choose_range(compute::Compute& compute, const std::string& asked_for) {
  std::vector<std::string> ranges(candidates.begin(), candidates.end());
  if (!asked_for.empty()) {
    if (auto valid = parse_vpc_cidr(asked_for); !valid) return std::unexpected(valid.error());
    ranges = {asked_for};
  }
  for (const std::string& range : ranges) {
    const auto clashes = compute.clashes(range);
    if (!clashes) return std::unexpected(clashes.error());
    if (!*clashes) return range;
  }
  return clash(fmt::format("{}", fmt::join(ranges, ", ")),
               "Choose a free range with --vpc-cidr, such as 10.99.0.0/16.");
}

void put_default_vpc(Draft& draft, const std::string& range, const std::string& region) {
  const model::Cidr cidr = *model::Cidr::parse(range);
  const model::Vpc vpc{.id = make_ec2_id("vpc-"), .cidr = range, .is_default = true, .tags = {}};
  draft.put(vpc);
  for (std::uint32_t index = 0; index < zone_letters.size(); ++index) {
    draft.put(model::Subnet{.id = make_ec2_id("subnet-"),
                            .vpc_id = vpc.id,
                            .zone = region + zone_letters[index],
                            .zone_id = fmt::format("use1-az{}", index + 1),
                            .cidr = cidr.subnet(subnet_prefix(cidr.prefix()), index).to_string(),
                            .is_default_for_zone = true,
                            .tags = {}});
  }
  model::SecurityGroup group{.id = make_ec2_id("sg-"),
                             .name = "default",
                             .description = "default VPC security group",
                             .vpc_id = vpc.id,
                             .ingress = {},
                             .egress = {},
                             .tags = {}};
  group.ingress.push_back({.protocol = "-1",
                           .from_port = -1,
                           .to_port = -1,
                           .cidr = {},
                           .cidr_v6 = {},
                           .group_id = group.id,
                           .description = {},
                           .id = make_ec2_id("sgr-"),
                           .tags = {}});
  group.egress.push_back({.protocol = "-1",
                          .from_port = -1,
                          .to_port = -1,
                          .cidr = "0.0.0.0/0",
                          .cidr_v6 = {},
                          .group_id = {},
                          .description = {},
                          .id = make_ec2_id("sgr-"),
                          .tags = {}});
  draft.put(std::move(group));
}

// Rules that an earlier version has stored have no ids.
Status name_rules(Registry& registry) {
  return registry.update([](Draft& draft) -> Status {
    std::vector<model::SecurityGroup> named;
    for (const auto& [id, group] : draft.state().security_groups) {
      bool is_changed = false;
      model::SecurityGroup copy = group;
      for (auto* rules : {&copy.ingress, &copy.egress}) {
        for (model::SecurityGroupRule& rule : *rules) {
          if (!rule.id.empty()) continue;
          rule.id = make_ec2_id("sgr-");
          is_changed = true;
        }
      }
      if (is_changed) named.push_back(std::move(copy));
    }
    for (model::SecurityGroup& group : named) draft.put(std::move(group));
    return {};
  });
}

// A stored VPC keeps its range: instances and nodes have addresses in it.
Status check_stored_range(compute::Compute& compute, const std::string& stored,
                          const std::string& asked_for) {
  if (!asked_for.empty() && asked_for != stored) {
    return fail(
        "InvalidVpc.Range",
        fmt::format("The VPC of this state folder has the range {}, not {}", stored, asked_for),
        "Leave --vpc-cidr out, or use another state folder (--state DIR).");
  }
  const auto clashes = compute.clashes(stored);
  if (!clashes) return std::unexpected(clashes.error());
  if (*clashes) {
    return clash(stored,
                 "Remove that route, or use another state folder (--state DIR) with --vpc-cidr.");
  }
  return {};
}

}  // namespace

Status Ec2::ensure_default_vpc(const std::string& vpc_cidr) {
  std::string range;
  impl_->registry.read([&](const State& state) {
    if (const model::Vpc* vpc = default_vpc(state)) range = vpc->cidr;
  });
  const bool is_new = range.empty();
  if (is_new) {
    auto chosen = choose_range(impl_->compute, vpc_cidr);
    if (!chosen) return std::unexpected(chosen.error());
    range = std::move(*chosen);
  } else if (auto valid = check_stored_range(impl_->compute, range, vpc_cidr); !valid) {
    return valid;
  }
  const auto made = impl_->compute.ensure_vpc({.cidr = range, .gateway = gateway_of(range)});
  if (!made) return made;
  if (is_new) {
    const auto stored = impl_->registry.update([&](Draft& draft) -> Status {
      put_default_vpc(draft, range, impl_->registry.region());
      return {};
    });
    if (!stored) return stored;
  }
  if (!is_new) {
    if (auto named = name_rules(impl_->registry); !named) return named;
  }
  impl_->effects.begin();
  return {};
}

}  // namespace weir::control
