// Load balancers: reference §1, §8.2.
#include <fmt/format.h>

#include <algorithm>

#include "aws/elbv2/handlers.hpp"
#include "base/clock.hpp"
#include "control/elb_checks.hpp"
#include "model/names.hpp"

namespace weir::aws::elbv2 {
namespace {

constexpr std::string_view hosted_zone_id = "Z35SXDOTRQ7X7K";  // AWS's for us-east-1
constexpr std::size_t names_max = 20;
constexpr std::int64_t day_ms = 86'400'000;

// ---------------------------------------------------------------- input
Status refuse_other_types(const Value& input) {
  const std::string type = input.text("Type", "application");
  if (type != "application") {
    return not_supported(
        fmt::format("Load balancers of type '{}' are not supported by Weir; the type must be "
                    "'application'",
                    type));
  }
  if (input.has("CustomerOwnedIpv4Pool")) {
    return not_supported("Customer-owned address pools are for load balancers on Outposts");
  }
  if (input.text("EnablePrefixForIpv6SourceNat", "off") != "off") {
    return not_supported("'EnablePrefixForIpv6SourceNat' is for load balancers of type 'network'");
  }
  if (input.text("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "off") != "off") {
    return not_supported(
        "'EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic' is for load balancers of type "
        "'network'");
  }
  return {};
}

Result<std::vector<std::string>> subnets_of(const Value& input) {
  if (input.has("Subnets") && input.has("SubnetMappings")) {
    return refuse("You must specify either subnets or subnet mappings, but not both");
  }
  if (!input.has("SubnetMappings")) return input.texts("Subnets");
  std::vector<std::string> ids;
  for (const Value& mapping : input.list("SubnetMappings")) {
    if (mapping.has("AllocationId")) {
      return not_supported(
          "Elastic IPs are not supported for load balancers with type 'application'");
    }
    for (const char* member : {"PrivateIPv4Address", "IPv6Address", "SourceNatIpv6Prefix"}) {
      if (mapping.has(member)) {
        return not_supported(fmt::format(
            "'{}' is not supported for load balancers with type 'application'", member));
      }
    }
    ids.push_back(mapping.text("SubnetId"));
  }
  return ids;
}

Result<control::CreateLoadBalancerInput> create_input(const Value& input) {
  if (auto valid = refuse_other_types(input); !valid) return std::unexpected(valid.error());
  auto subnets = subnets_of(input);
  if (!subnets) return std::unexpected(subnets.error());
  auto tags = tags_of(input);
  if (!tags) return std::unexpected(tags.error());
  control::CreateLoadBalancerInput out;
  out.name = input.text("Name");
  out.scheme = input.text("Scheme", out.scheme);
  out.ip_address_type = input.text("IpAddressType", out.ip_address_type);
  out.subnet_ids = std::move(*subnets);
  out.security_group_ids = input.texts("SecurityGroups");
  if (const Value* pools = input.find("IpamPools"))
    out.ipam_pool_id = pools->text("Ipv4IpamPoolId");
  out.tags = std::move(*tags);
  return out;
}

// ---------------------------------------------------------------- output
Value zone_list(const model::LoadBalancer& load_balancer) {
  Value::List zones;
  for (const model::LoadBalancerNode& node : load_balancer.nodes) {
    Value zone{{"ZoneName", node.zone}, {"SubnetId", node.subnet_id}};
    zone.set("LoadBalancerAddresses", Value(Value::List{}));
    zones.push_back(std::move(zone));
  }
  return Value(std::move(zones));
}

Value load_balancer_value(const model::LoadBalancer& source) {
  Value state{{"Code", model::name_of(source.state)}};
  state.set_text("Reason", source.state_reason);
  Value out{{"LoadBalancerArn", source.arn},
            {"DNSName", source.dns_name},
            {"CanonicalHostedZoneId", hosted_zone_id},
            {"CreatedTime", Timestamp{source.created_at_ms}},
            {"LoadBalancerName", source.name},
            {"Scheme", source.scheme},
            {"VpcId", source.vpc_id},
            {"State", std::move(state)},
            {"Type", "application"}};
  out.set("AvailabilityZones", zone_list(source));
  out.set("SecurityGroups", Value::list_of(source.security_group_ids));
  out.set("IpAddressType", source.ip_address_type);
  if (!source.ipam_pool_id.empty()) {
    out.set("IpamPools", Value{{"Ipv4IpamPoolId", source.ipam_pool_id}});
  }
  return out;
}

Value capacity_value(const model::LoadBalancer& source, const control::Limits& limits) {
  const model::CapacityReservation& capacity = source.capacity;
  const bool is_today = capacity.decreases_day == wall_ms() / day_ms;
  Value out{{"DecreaseRequestsRemaining",
             limits.capacity_decreases_per_day - (is_today ? capacity.decreases : 0)}};
  if (capacity.changed_at_ms != 0) out.set("LastModifiedTime", Timestamp{capacity.changed_at_ms});
  if (capacity.units == 0) return out;
  out.set("MinimumLoadBalancerCapacity", Value{{"CapacityUnits", capacity.units}});
  Value::List zones;
  for (const model::LoadBalancerNode& node : source.nodes) {
    Value zone;
    zone.set("State", Value{{"Code", "provisioned"}});
    zone.set("AvailabilityZone", node.zone);
    zone.set("EffectiveCapacityUnits",
             static_cast<double>(capacity.units) / static_cast<double>(source.nodes.size()));
    zones.push_back(std::move(zone));
  }
  out.set("CapacityReservationState", Value(std::move(zones)));
  return out;
}

// An IPv4 load balancer does not show this one.
constexpr std::string_view ipv6_only = "ipv6.";

Value attributes_output(const model::LoadBalancer& source) {
  Value out;
  out.set("Attributes",
          attribute_list(source.attributes, model::load_balancer_attributes(), ipv6_only));
  return out;
}

std::unexpected<Error> not_found(const std::string& name) {
  return fail("LoadBalancerNotFound", fmt::format("Load balancers '[{}]' not found", name));
}

// ---------------------------------------------------------------- operations
Result<Value> describe(const control::State& state, const Value& input) {
  const auto arns = input.texts("LoadBalancerArns");
  const auto names = input.texts("Names");
  if (!arns.empty() && !names.empty()) {
    return refuse("Load balancer names and load balancer ARNs cannot be specified together");
  }
  const auto page = page_of(input, !arns.empty() || !names.empty());
  if (!page) return std::unexpected(page.error());
  Value out;
  if (arns.empty() && names.empty()) {
    write_records(state.load_balancers, *page, out, "LoadBalancers", load_balancer_value);
    return out;
  }
  if (auto valid = check_count("load balancers", arns.size() + names.size(), names_max); !valid) {
    return std::unexpected(valid.error());
  }
  Value::List items;
  const auto add = [&](const std::string* arn, const std::string& asked) -> Status {
    const auto found =
        arn == nullptr ? state.load_balancers.end() : state.load_balancers.find(*arn);
    if (found == state.load_balancers.end()) return not_found(asked);
    items.push_back(load_balancer_value(found->second));
    return {};
  };
  for (const std::string& arn : arns) {
    if (auto done = add(&arn, arn); !done) return std::unexpected(done.error());
  }
  for (const std::string& name : names) {
    if (auto done = add(state.index.load_balancer_named(name), name); !done) {
      return std::unexpected(done.error());
    }
  }
  out.set("LoadBalancers", Value(std::move(items)));
  return out;
}

Result<Value> create(const Elbv2Parts& parts, const Value& input) {
  const auto wanted = create_input(input);
  if (!wanted) return std::unexpected(wanted.error());
  const auto made = parts.elb.create_load_balancer(*wanted);
  if (!made) return std::unexpected(made.error());
  return list_of_one("LoadBalancers", load_balancer_value(*made));
}

Result<Value> set_subnets(const Elbv2Parts& parts, const Value& input) {
  if (auto valid = refuse_other_types(input); !valid) return std::unexpected(valid.error());
  const auto subnets = subnets_of(input);
  if (!subnets) return std::unexpected(subnets.error());
  const std::string arn = input.text("LoadBalancerArn");
  if (const auto type = input.optional_text("IpAddressType")) {
    if (auto set = parts.elb.set_ip_address_type(arn, *type); !set) {
      return std::unexpected(set.error());
    }
  }
  const auto changed = parts.elb.set_subnets(arn, *subnets);
  if (!changed) return std::unexpected(changed.error());
  Value out;
  out.set("AvailabilityZones", zone_list(*changed));
  out.set("IpAddressType", changed->ip_address_type);
  return out;
}

Result<Value> set_security_groups(const Elbv2Parts& parts, const Value& input) {
  if (auto valid = refuse_other_types(input); !valid) return std::unexpected(valid.error());
  const auto changed =
      parts.elb.set_security_groups(input.text("LoadBalancerArn"), input.texts("SecurityGroups"));
  if (!changed) return std::unexpected(changed.error());
  Value out;
  out.set("SecurityGroupIds", Value::list_of(changed->security_group_ids));
  return out;
}

Result<Value> modify_ip_pools(const Elbv2Parts& parts, const Value& input) {
  const Value* pools = input.find("IpamPools");
  const bool is_removed = !input.list("RemoveIpamPools").empty();
  if ((pools != nullptr) == is_removed) {
    return refuse("You must specify either 'IpamPools' or 'RemoveIpamPools'");
  }
  const auto changed = parts.elb.modify_ip_pools(
      input.text("LoadBalancerArn"), is_removed ? std::string() : pools->text("Ipv4IpamPoolId"));
  if (!changed) return std::unexpected(changed.error());
  Value pool;
  pool.set_text("Ipv4IpamPoolId", changed->ipam_pool_id);
  Value out;
  out.set("IpamPools", std::move(pool));
  return out;
}

Result<Value> modify_capacity(const Elbv2Parts& parts, const Value& input) {
  control::ModifyCapacityInput wanted;
  wanted.load_balancer_arn = input.text("LoadBalancerArn");
  if (const Value* capacity = input.find("MinimumLoadBalancerCapacity")) {
    wanted.units = int_of(*capacity, "CapacityUnits");
  }
  wanted.is_reset = input.flag("ResetCapacityReservation").value_or(false);
  const auto changed = parts.elb.modify_capacity_reservation(wanted);
  if (!changed) return std::unexpected(changed.error());
  return capacity_value(*changed, parts.elb.limits());
}

Result<const model::LoadBalancer*> named_in(const control::State& state, const Value& input) {
  return control::find_load_balancer(state, input.text("LoadBalancerArn"));
}

}  // namespace

void add_load_balancers(Handlers& handlers, const Elbv2Parts& parts) {
  handlers["CreateLoadBalancer"] = changing(parts, create);
  handlers["DescribeLoadBalancers"] = reading(parts, describe);
  handlers["DeleteLoadBalancer"] =
      changing(parts, [](const Elbv2Parts& with, const Value& input) -> Result<Value> {
        auto done = with.elb.delete_load_balancer(input.text("LoadBalancerArn"));
        if (!done) return std::unexpected(done.error());
        return Value();
      });
  handlers["DescribeLoadBalancerAttributes"] =
      reading(parts, [](const control::State& state, const Value& input) -> Result<Value> {
        const auto found = named_in(state, input);
        if (!found) return std::unexpected(found.error());
        return attributes_output(**found);
      });
  handlers["ModifyLoadBalancerAttributes"] =
      changing(parts, [](const Elbv2Parts& with, const Value& input) -> Result<Value> {
        const auto wanted = attributes_of(input);
        if (!wanted) return std::unexpected(wanted.error());
        const auto changed =
            with.elb.modify_load_balancer_attributes(input.text("LoadBalancerArn"), *wanted);
        if (!changed) return std::unexpected(changed.error());
        return attributes_output(*changed);
      });
  handlers["SetSubnets"] = changing(parts, set_subnets);
  handlers["SetSecurityGroups"] = changing(parts, set_security_groups);
  handlers["SetIpAddressType"] =
      changing(parts, [](const Elbv2Parts& with, const Value& input) -> Result<Value> {
        const auto changed = with.elb.set_ip_address_type(input.text("LoadBalancerArn"),
                                                          input.text("IpAddressType"));
        if (!changed) return std::unexpected(changed.error());
        return Value{{"IpAddressType", changed->ip_address_type}};
      });
  handlers["ModifyIpPools"] = changing(parts, modify_ip_pools);
  handlers["ModifyCapacityReservation"] = changing(parts, modify_capacity);
  handlers["DescribeCapacityReservation"] =
      reading(parts, [parts](const control::State& state, const Value& input) -> Result<Value> {
        const auto found = named_in(state, input);
        if (!found) return std::unexpected(found.error());
        return capacity_value(**found, parts.elb.limits());
      });
}

}  // namespace weir::aws::elbv2
