// VPCs and subnets: reference §9.5.
#include "aws/ec2/handlers.hpp"
#include "control/addresses.hpp"

namespace weir::aws::ec2 {
namespace {

using control::State;

std::string text_of(bool flag) { return flag ? "true" : "false"; }

constexpr auto vpc_fields = std::to_array<Field<model::Vpc>>({
    {"vpc-id", [](const State&, const model::Vpc& vpc) { return Texts{vpc.id}; }},
    {"cidr", [](const State&, const model::Vpc& vpc) { return Texts{vpc.cidr}; }},
    {"cidr-block-association.cidr-block",
     [](const State&, const model::Vpc& vpc) { return Texts{vpc.cidr}; }},
    {"dhcp-options-id",
     [](const State&, const model::Vpc& vpc) { return Texts{part_id("dopt-", vpc.id)}; }},
    {"is-default",
     [](const State&, const model::Vpc& vpc) { return Texts{text_of(vpc.is_default)}; }},
    {"isDefault",
     [](const State&, const model::Vpc& vpc) { return Texts{text_of(vpc.is_default)}; }},
    {"state", [](const State&, const model::Vpc&) { return Texts{"available"}; }},
});

Value write_vpc(const Site& site, const model::Vpc& vpc) {
  Value association{{"AssociationId", part_id("vpc-cidr-assoc-", vpc.id)}, {"CidrBlock", vpc.cidr}};
  association.set("CidrBlockState", Value{{"State", "associated"}});
  Value out{{"VpcId", vpc.id},
            {"State", "available"},
            {"CidrBlock", vpc.cidr},
            {"DhcpOptionsId", part_id("dopt-", vpc.id)},
            {"InstanceTenancy", "default"},
            {"IsDefault", vpc.is_default},
            {"OwnerId", site.account}};
  out.set("CidrBlockAssociationSet", Value(Value::List{std::move(association)}));
  out.set("Tags", tag_list(vpc.tags));
  return out;
}

std::string free_addresses(const State& state, const model::Subnet& subnet) {
  return std::to_string(control::FreeAddresses(state, subnet).count());
}

constexpr auto subnet_fields = std::to_array<Field<model::Subnet>>({
    {"subnet-id", [](const State&, const model::Subnet& subnet) { return Texts{subnet.id}; }},
    {"vpc-id", [](const State&, const model::Subnet& subnet) { return Texts{subnet.vpc_id}; }},
    {"cidr", [](const State&, const model::Subnet& subnet) { return Texts{subnet.cidr}; }},
    {"cidr-block", [](const State&, const model::Subnet& subnet) { return Texts{subnet.cidr}; }},
    {"cidrBlock", [](const State&, const model::Subnet& subnet) { return Texts{subnet.cidr}; }},
    {"availability-zone",
     [](const State&, const model::Subnet& subnet) { return Texts{subnet.zone}; }},
    {"availabilityZone",
     [](const State&, const model::Subnet& subnet) { return Texts{subnet.zone}; }},
    {"availability-zone-id",
     [](const State&, const model::Subnet& subnet) { return Texts{subnet.zone_id}; }},
    {"available-ip-address-count",
     [](const State& state,
        const model::Subnet& subnet) { return Texts{free_addresses(state, subnet)}; }},
    {"default-for-az",
     [](const State&,
        const model::Subnet& subnet) { return Texts{text_of(subnet.is_default_for_zone)}; }},
    {"defaultForAz",
     [](const State&,
        const model::Subnet& subnet) { return Texts{text_of(subnet.is_default_for_zone)}; }},
    {"map-public-ip-on-launch",
     [](const State&,
        const model::Subnet& subnet) { return Texts{text_of(subnet.is_default_for_zone)}; }},
    {"state", [](const State&, const model::Subnet&) { return Texts{"available"}; }},
});

Value write_subnet(const Site& site, const model::Subnet& subnet) {
  Value out{{"SubnetId", subnet.id},
            {"SubnetArn",
             fmt::format("arn:aws:ec2:{}:{}:subnet/{}", site.region, site.account, subnet.id)},
            {"State", "available"},
            {"VpcId", subnet.vpc_id},
            {"OwnerId", site.account},
            {"CidrBlock", subnet.cidr},
            {"AvailabilityZone", subnet.zone},
            {"AvailabilityZoneId", subnet.zone_id},
            {"DefaultForAz", subnet.is_default_for_zone},
            {"MapPublicIpOnLaunch", subnet.is_default_for_zone},
            {"AssignIpv6AddressOnCreation", false}};
  out.set("AvailableIpAddressCount",
          static_cast<std::int64_t>(control::FreeAddresses(site.state, subnet).count()));
  out.set("Tags", tag_list(subnet.tags));
  return out;
}

constexpr Listing<model::Vpc> vpc_listing{
    "Vpcs",   "VpcIds",   "vpc-",   "InvalidVpcID.Malformed", "InvalidVpcID.NotFound",
    "vpc ID", vpc_fields, write_vpc};

constexpr Listing<model::Subnet> subnet_listing{"Subnets",
                                                "SubnetIds",
                                                "subnet-",
                                                "InvalidSubnetID.Malformed",
                                                "InvalidSubnetID.NotFound",
                                                "subnet ID",
                                                subnet_fields,
                                                write_subnet};

}  // namespace

void add_vpcs(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeVpcs"] = reading(parts, [](const Site& site, const Value& input) {
    return list_records(site, site.state.vpcs, input, vpc_listing);
  });
  handlers["DescribeSubnets"] = reading(parts, [](const Site& site, const Value& input) {
    return list_records(site, site.state.subnets, input, subnet_listing);
  });
}

}  // namespace weir::aws::ec2
