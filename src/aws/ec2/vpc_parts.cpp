// What belongs to a VPC and is the same for each of Weir's: a main route table, an internet
// gateway, a network ACL that allows all, DHCP options (reference §9.5). They are views of the VPC,
// called after it; nothing changes them.
#include "aws/ec2/handlers.hpp"

namespace weir::aws::ec2 {
namespace {

using control::State;
using model::Vpc;

// A part of a VPC, as a record of its own. One type for each, for their filters differ.
template <int kind>
struct Part {
  std::string id;
  const Vpc* vpc = nullptr;
  model::Tags tags;
};
using RouteTable = Part<0>;
using Gateway = Part<1>;
using NetworkAcl = Part<2>;
using DhcpOptions = Part<3>;

constexpr std::string_view everywhere = "0.0.0.0/0";
constexpr std::string_view name_servers = "AmazonProvidedDNS";
constexpr int last_rule = 32767;  // the one that denies what no rule before it has allowed

template <typename Record>
std::map<std::string, Record> records_of(const State& state, std::string_view prefix) {
  std::map<std::string, Record> records;
  for (const auto& [id, vpc] : state.vpcs) {
    const std::string part = part_id(prefix, id);
    records[part] = {part, &vpc, {}};
  }
  return records;
}

Texts subnets_of(const State& state, const Vpc& vpc) {
  Texts ids;
  for (const auto& [id, subnet] : state.subnets) {
    if (subnet.vpc_id == vpc.id) ids.push_back(id);
  }
  return ids;
}

std::string domain_of(const std::string& region) {
  return region == "us-east-1" ? "ec2.internal" : region + ".compute.internal";
}

// ---------------------------------------------------------------- route tables
std::string gateway_of(const Vpc& vpc) { return part_id("igw-", vpc.id); }

constexpr auto table_fields = std::to_array<Field<RouteTable>>({
    {"route-table-id", [](const State&, const RouteTable& table) { return Texts{table.id}; }},
    {"vpc-id", [](const State&, const RouteTable& table) { return Texts{table.vpc->id}; }},
    {"association.main", [](const State&, const RouteTable&) { return Texts{"true"}; }},
    {"association.route-table-id",
     [](const State&, const RouteTable& table) { return Texts{table.id}; }},
    // The main table's subnets have no associations of their own.
    {"association.subnet-id", [](const State&, const RouteTable&) { return Texts{}; }},
    {"route.gateway-id",
     [](const State&, const RouteTable& table) {
       return Texts{"local", gateway_of(*table.vpc)};
     }},
    {"route.destination-cidr-block",
     [](const State&, const RouteTable& table) {
       return Texts{table.vpc->cidr, std::string(everywhere)};
     }},
    {"route.state", [](const State&, const RouteTable&) { return Texts{"active"}; }},
});

Value route(std::string_view destination, const std::string& gateway, std::string_view origin) {
  return {{"DestinationCidrBlock", destination},
          {"GatewayId", gateway},
          {"Origin", origin},
          {"State", "active"}};
}

Value write_table(const Site& site, const RouteTable& table) {
  Value association{{"Main", true},
                    {"RouteTableAssociationId", part_id("rtbassoc-", table.vpc->id)},
                    {"RouteTableId", table.id}};
  association.set("AssociationState", Value{{"State", "associated"}});
  Value out{{"RouteTableId", table.id}, {"VpcId", table.vpc->id}, {"OwnerId", site.account}};
  out.set("Associations", Value(Value::List{std::move(association)}));
  out.set("PropagatingVgws", Value(Value::List()));
  out.set("Routes", Value(Value::List{route(table.vpc->cidr, "local", "CreateRouteTable"),
                                      route(everywhere, gateway_of(*table.vpc), "CreateRoute")}));
  out.set("Tags", tag_list(table.tags));
  return out;
}

constexpr Listing<RouteTable> tables{"RouteTables",
                                     "RouteTableIds",
                                     "rtb-",
                                     "InvalidRouteTableId.Malformed",
                                     "InvalidRouteTableID.NotFound",
                                     "routeTable ID",
                                     table_fields,
                                     write_table};

// ---------------------------------------------------------------- internet gateways
constexpr auto gateway_fields = std::to_array<Field<Gateway>>({
    {"internet-gateway-id", [](const State&, const Gateway& part) { return Texts{part.id}; }},
    {"attachment.vpc-id", [](const State&, const Gateway& part) { return Texts{part.vpc->id}; }},
    {"attachment.state", [](const State&, const Gateway&) { return Texts{"available"}; }},
});

Value write_gateway(const Site& site, const Gateway& gateway) {
  Value out{{"InternetGatewayId", gateway.id}, {"OwnerId", site.account}};
  out.set("Attachments",
          Value(Value::List{Value{{"State", "available"}, {"VpcId", gateway.vpc->id}}}));
  out.set("Tags", tag_list(gateway.tags));
  return out;
}

constexpr Listing<Gateway> gateways{"InternetGateways",
                                    "InternetGatewayIds",
                                    "igw-",
                                    "InvalidInternetGatewayId.Malformed",
                                    "InvalidInternetGatewayID.NotFound",
                                    "internetGateway ID",
                                    gateway_fields,
                                    write_gateway};

// ---------------------------------------------------------------- network ACLs
constexpr auto acl_fields = std::to_array<Field<NetworkAcl>>({
    {"network-acl-id", [](const State&, const NetworkAcl& acl) { return Texts{acl.id}; }},
    {"vpc-id", [](const State&, const NetworkAcl& acl) { return Texts{acl.vpc->id}; }},
    {"default", [](const State&, const NetworkAcl&) { return Texts{"true"}; }},
    {"association.subnet-id",
     [](const State& state, const NetworkAcl& acl) { return subnets_of(state, *acl.vpc); }},
});

Value acl_entry(bool is_egress, int number, std::string_view action) {
  return {{"CidrBlock", everywhere},
          {"Egress", is_egress},
          {"Protocol", "-1"},
          {"RuleAction", action},
          {"RuleNumber", number}};
}

Value write_acl(const Site& site, const NetworkAcl& acl) {
  Value::List associations;
  for (const std::string& subnet : subnets_of(site.state, *acl.vpc)) {
    associations.push_back({{"NetworkAclAssociationId", part_id("aclassoc-", subnet)},
                            {"NetworkAclId", acl.id},
                            {"SubnetId", subnet}});
  }
  Value out{{"IsDefault", true},
            {"NetworkAclId", acl.id},
            {"VpcId", acl.vpc->id},
            {"OwnerId", site.account}};
  out.set("Associations", Value(std::move(associations)));
  out.set("Entries",
          Value(Value::List{acl_entry(true, 100, "allow"), acl_entry(true, last_rule, "deny"),
                            acl_entry(false, 100, "allow"), acl_entry(false, last_rule, "deny")}));
  out.set("Tags", tag_list(acl.tags));
  return out;
}

constexpr Listing<NetworkAcl> acls{"NetworkAcls",
                                   "NetworkAclIds",
                                   "acl-",
                                   "InvalidNetworkAclId.Malformed",
                                   "InvalidNetworkAclID.NotFound",
                                   "networkAcl ID",
                                   acl_fields,
                                   write_acl};

// ---------------------------------------------------------------- DHCP options
constexpr auto dhcp_fields = std::to_array<Field<DhcpOptions>>({
    {"dhcp-options-id", [](const State&, const DhcpOptions& dhcp) { return Texts{dhcp.id}; }},
    {"key",
     [](const State&, const DhcpOptions&) {
       return Texts{"domain-name", "domain-name-servers"};
     }},
});

Value dhcp_entry(std::string_view key, std::string_view value) {
  Value out{{"Key", key}};
  out.set("Values", Value(Value::List{Value{{"Value", value}}}));
  return out;
}

Value write_dhcp(const Site& site, const DhcpOptions& dhcp) {
  Value out{{"OwnerId", site.account}, {"DhcpOptionsId", dhcp.id}};
  out.set("Tags", tag_list(dhcp.tags));
  out.set("DhcpConfigurations",
          Value(Value::List{dhcp_entry("domain-name", domain_of(site.region)),
                            dhcp_entry("domain-name-servers", name_servers)}));
  return out;
}

constexpr Listing<DhcpOptions> dhcp_options{"DhcpOptions",
                                            "DhcpOptionsIds",
                                            "dopt-",
                                            "InvalidDhcpOptionsId.Malformed",
                                            "InvalidDhcpOptionID.NotFound",
                                            "dhcpOption ID",
                                            dhcp_fields,
                                            write_dhcp};

// ---------------------------------------------------------------- attributes
Result<Value> describe_attribute(const Site& site, const Value& input) {
  const std::string id = input.text("VpcId");
  const auto there = [&](const std::string& one) { return site.state.vpcs.contains(one); };
  if (auto valid = check_ids({id}, "vpc-", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound",
                             "vpc ID", there);
      !valid) {
    return std::unexpected(valid.error());
  }
  const std::string asked = input.text("Attribute");
  Value out{{"VpcId", id}};
  if (asked == "enableDnsHostnames") out.set("EnableDnsHostnames", Value{{"Value", true}});
  if (asked == "enableDnsSupport") out.set("EnableDnsSupport", Value{{"Value", true}});
  if (asked == "enableNetworkAddressUsageMetrics") {
    out.set("EnableNetworkAddressUsageMetrics", Value{{"Value", false}});
  }
  return out;
}

Value account_attribute(std::string_view name, const std::string& value) {
  Value out{{"AttributeName", name}};
  out.set("AttributeValues", Value(Value::List{Value{{"AttributeValue", value}}}));
  return out;
}

Result<Value> describe_account(const Site& site, const Value& input) {
  const Texts asked = input.texts("AttributeNames");
  const auto is_wanted = [&](std::string_view name) {
    return asked.empty() || std::ranges::find(asked, name) != asked.end();
  };
  std::string default_vpc = "none";
  for (const auto& [id, vpc] : site.state.vpcs) {
    if (vpc.is_default) default_vpc = id;
  }
  Value::List items;
  if (is_wanted("supported-platforms")) {
    items.push_back(account_attribute("supported-platforms", "VPC"));
  }
  if (is_wanted("default-vpc")) items.push_back(account_attribute("default-vpc", default_vpc));
  Value out;
  out.set("AccountAttributes", Value(std::move(items)));
  return out;
}

template <typename Record>
Handler listing_of(const Ec2Parts& parts, const Listing<Record>& listing) {
  return reading(parts, [&listing](const Site& site, const Value& input) {
    return list_records(site, records_of<Record>(site.state, listing.prefix), input, listing);
  });
}

}  // namespace

void add_vpc_parts(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeRouteTables"] = listing_of(parts, tables);
  handlers["DescribeInternetGateways"] = listing_of(parts, gateways);
  handlers["DescribeNetworkAcls"] = listing_of(parts, acls);
  handlers["DescribeDhcpOptions"] = listing_of(parts, dhcp_options);
  handlers["DescribeVpcAttribute"] = reading(parts, describe_attribute);
  handlers["DescribeAccountAttributes"] = reading(parts, describe_account);
}

}  // namespace weir::aws::ec2
