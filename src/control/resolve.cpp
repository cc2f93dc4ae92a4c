#include "control/resolve.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "model/cidr.hpp"
#include "model/instance_types.hpp"

namespace weir::control {
namespace {

bool contains(const std::vector<std::string>& ids, const std::string& id) {
  return std::ranges::find(ids, id) != ids.end();
}

std::vector<std::string> members_of(const State& state, const std::string& group_id) {
  std::vector<std::string> addresses;
  for (const auto& [id, instance] : state.instances) {
    if (instance.state != model::InstanceState::terminated &&
        contains(instance.security_group_ids, group_id)) {
      addresses.push_back(instance.private_ip);
    }
  }
  for (const auto& [arn, load_balancer] : state.load_balancers) {
    if (!contains(load_balancer.security_group_ids, group_id)) continue;
    for (const model::LoadBalancerNode& node : load_balancer.nodes) {
      addresses.push_back(node.private_ip);
    }
  }
  std::ranges::sort(addresses);
  return addresses;
}

void add_rules(const State& state, const std::vector<model::SecurityGroupRule>& rules,
               std::vector<compute::FirewallRule>& out) {
  for (const model::SecurityGroupRule& rule : rules) {
    if (!rule.cidr_v6.empty() || rule.protocol == "icmpv6") continue;
    std::vector<std::string> peers;
    if (rule.group_id.empty()) {
      peers.push_back(rule.cidr);
    } else {
      peers = members_of(state, rule.group_id);
    }
    if (!peers.empty()) {
      out.push_back({rule.protocol, rule.from_port, rule.to_port, std::move(peers)});
    }
  }
}

bool is_same_list(const std::vector<compute::FirewallRule>& a,
                  const std::vector<compute::FirewallRule>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.protocol == y.protocol && x.from_port == y.from_port && x.to_port == y.to_port &&
           x.peers == y.peers;
  });
}

template <typename Map>
const auto& at(const Map& map, const std::string& id) {
  const auto found = map.find(id);
  WEIR_ASSERT(found != map.end());
  return found->second;
}

}  // namespace

compute::Firewall resolve_firewall(const State& state, const model::Instance& instance) {
  compute::Firewall firewall;
  for (const std::string& id : instance.security_group_ids) {
    const auto group = state.security_groups.find(id);
    if (group == state.security_groups.end()) continue;
    add_rules(state, group->second.ingress, firewall.ingress);
    add_rules(state, group->second.egress, firewall.egress);
  }
  return firewall;
}

bool is_same(const compute::Firewall& a, const compute::Firewall& b) {
  return is_same_list(a.ingress, b.ingress) && is_same_list(a.egress, b.egress);
}

compute::InstanceSpec make_spec(const State& state, const model::Instance& instance) {
  const model::Subnet& subnet = at(state.subnets, instance.subnet_id);
  const model::Vpc& vpc = at(state.vpcs, instance.vpc_id);
  const model::InstanceType* type = model::find_instance_type(instance.type);
  WEIR_ASSERT(type != nullptr);
  compute::InstanceSpec spec;
  spec.id = instance.id;
  spec.image_id = instance.image_id;
  spec.hostname = instance.private_dns_name;
  spec.private_ip = instance.private_ip;
  spec.subnet_prefix = model::Cidr::parse(subnet.cidr)->prefix();
  spec.vpc_cidr = vpc.cidr;
  spec.gateway = gateway_of(vpc.cidr);
  spec.mac = instance.mac;
  spec.vcpus = type->vcpus;
  spec.memory_mib = type->memory_mib;
  spec.ebs_bytes_per_second = type->ebs_bytes_per_second;
  spec.user_data = instance.user_data;
  spec.is_first_boot = !instance.user_data_done;
  spec.public_key = instance.public_key;
  spec.firewall = resolve_firewall(state, instance);
  return spec;
}

compute::MetadataDocument make_document(const State& state, const model::Instance& instance,
                                        const std::string& region, const std::string& account) {
  const model::Subnet& subnet = at(state.subnets, instance.subnet_id);
  compute::MetadataDocument document;
  document.instance_id = instance.id;
  document.ami_id = instance.image_id;
  document.instance_type = instance.type;
  document.reservation_id = instance.reservation_id;
  document.region = region;
  document.zone = instance.zone;
  document.zone_id = subnet.zone_id;
  document.local_ipv4 = instance.private_ip;
  document.local_hostname = instance.private_dns_name;
  document.mac = instance.mac;
  document.subnet_id = instance.subnet_id;
  document.subnet_cidr = subnet.cidr;
  document.vpc_id = instance.vpc_id;
  document.vpc_cidr = at(state.vpcs, instance.vpc_id).cidr;
  document.owner_id = account;
  document.ami_launch_index = instance.launch_index;
  document.launch_time_ms = instance.launch_time_ms;
  document.security_group_ids = instance.security_group_ids;
  for (const std::string& id : instance.security_group_ids) {
    const auto group = state.security_groups.find(id);
    if (group != state.security_groups.end()) {
      document.security_groups.push_back(group->second.name);
    }
  }
  document.key_name = instance.key_name;
  document.public_key = instance.public_key;
  document.user_data = instance.user_data;
  document.tokens_required = instance.metadata_tokens_required;
  document.tags = instance.tags;
  return document;
}

std::vector<std::string> node_addresses(const State& state) {
  std::vector<std::string> addresses;
  for (const auto& [arn, load_balancer] : state.load_balancers) {
    for (const model::LoadBalancerNode& node : load_balancer.nodes) {
      addresses.push_back(node.private_ip);
    }
  }
  std::ranges::sort(addresses);
  return addresses;
}

std::string gateway_of(const std::string& vpc_cidr) {
  return model::Cidr::parse(vpc_cidr)->at(1).to_string();
}

}  // namespace weir::control
