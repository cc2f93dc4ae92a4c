// Regions and availability zones: those that the default VPC has subnets in.
#include "aws/ec2/handlers.hpp"

namespace weir::aws::ec2 {
namespace {

struct Zone {
  std::string name;    // us-east-1a
  std::string id;      // use1-az1
  std::string region;  // us-east-1
};

struct Region {
  std::string name;
};

constexpr auto zone_fields = std::to_array<Field<Zone>>({
    {"zone-name", [](const control::State&, const Zone& zone) { return Texts{zone.name}; }},
    {"zone-id", [](const control::State&, const Zone& zone) { return Texts{zone.id}; }},
    {"region-name", [](const control::State&, const Zone& zone) { return Texts{zone.region}; }},
    {"state", [](const control::State&, const Zone&) { return Texts{"available"}; }},
    {"zone-type", [](const control::State&, const Zone&) { return Texts{"availability-zone"}; }},
    {"opt-in-status",
     [](const control::State&, const Zone&) { return Texts{"opt-in-not-required"}; }},
    {"group-name",
     [](const control::State&, const Zone& zone) { return Texts{zone.region + "-zg-1"}; }},
});

constexpr auto region_fields = std::to_array<Field<Region>>({
    {"region-name", [](const control::State&, const Region& region) { return Texts{region.name}; }},
    {"endpoint",
     [](const control::State&, const Region& region) {
       return Texts{"ec2." + region.name + ".amazonaws.com"};
     }},
    {"opt-in-status",
     [](const control::State&, const Region&) { return Texts{"opt-in-not-required"}; }},
});

Value write_zone(const Zone& zone) {
  Value out{{"ZoneName", zone.name},
            {"ZoneId", zone.id},
            {"RegionName", zone.region},
            {"State", "available"},
            {"OptInStatus", "opt-in-not-required"},
            {"ZoneType", "availability-zone"},
            {"GroupName", zone.region + "-zg-1"},
            {"NetworkBorderGroup", zone.region}};
  out.set("Messages", Value(Value::List()));
  return out;
}

// What was asked for by name must be there.
Status check_names(const Texts& names, const Texts& known, std::string_view kind) {
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return fail("InvalidParameterValue",
                fmt::format("Invalid {}: [{}]", kind, name.substr(0, 100)));
  }
  return {};
}

bool is_wanted(const Texts& names, const std::string& name) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

Result<Value> describe_zones(const Site& site, const Value& input) {
  std::map<std::string, Zone> zones;
  Texts names;
  Texts ids;
  for (const auto& [id, subnet] : site.state.subnets) {
    if (zones.emplace(subnet.zone, Zone{subnet.zone, subnet.zone_id, site.region}).second) {
      names.push_back(subnet.zone);
      ids.push_back(subnet.zone_id);
    }
  }
  const auto filters = filters_of(input);
  if (!filters) return std::unexpected(filters.error());
  const std::span<const Field<Zone>> fields(zone_fields);
  for (const auto& valid : {check_filters(*filters, fields),
                            check_names(input.texts("ZoneNames"), names, "availability zone"),
                            check_names(input.texts("ZoneIds"), ids, "availability zone-id")}) {
    if (!valid) return std::unexpected(valid.error());
  }
  Value::List items;
  for (const auto& [name, zone] : zones) {
    if (is_wanted(input.texts("ZoneNames"), name) && is_wanted(input.texts("ZoneIds"), zone.id) &&
        passes(site.state, *filters, fields, zone)) {
      items.push_back(write_zone(zone));
    }
  }
  Value out;
  out.set("AvailabilityZones", Value(std::move(items)));
  return out;
}

Result<Value> describe_regions(const Site& site, const Value& input) {
  const Region region{site.region};
  const auto filters = filters_of(input);
  if (!filters) return std::unexpected(filters.error());
  const std::span<const Field<Region>> fields(region_fields);
  const Texts names = input.texts("RegionNames");
  for (const auto& valid :
       {check_filters(*filters, fields), check_names(names, {region.name}, "region")}) {
    if (!valid) return std::unexpected(valid.error());
  }
  Value::List items;
  if (passes(site.state, *filters, fields, region)) {
    items.push_back({{"RegionName", region.name},
                     {"Endpoint", "ec2." + region.name + ".amazonaws.com"},
                     {"OptInStatus", "opt-in-not-required"}});
  }
  Value out;
  out.set("Regions", Value(std::move(items)));
  return out;
}

}  // namespace

void add_zones(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeAvailabilityZones"] = reading(parts, describe_zones);
  handlers["DescribeRegions"] = reading(parts, describe_regions);
}

}  // namespace weir::aws::ec2
