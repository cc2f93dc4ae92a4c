// Instance types and where they are offered: those of model/instance_types, in every zone.
#include "model/instance_types.hpp"
#include "aws/ec2/instance_shapes.hpp"

namespace weir::aws::ec2 {
namespace {

using control::State;
using model::InstanceType;

std::string text_of(bool flag) { return flag ? "true" : "false"; }

// Xen hosts the older families, which know no threads of their own in t2.
bool is_xen(const InstanceType& type) {
  return type.name.starts_with("t2.") || type.name.starts_with("m4.");
}
int threads_of(const InstanceType& type) {
  return type.vcpus > 1 && !type.name.starts_with("t2.") ? 2 : 1;
}
bool is_current(const InstanceType& type) { return !type.name.starts_with("m4."); }

constexpr auto type_fields = std::to_array<Field<InstanceType>>({
    {"instance-type",
     [](const State&, const InstanceType& t) { return Texts{std::string(t.name)}; }},
    {"vcpu-info.default-vcpus",
     [](const State&, const InstanceType& t) { return Texts{std::to_string(t.vcpus)}; }},
    {"memory-info.size-in-mib",
     [](const State&, const InstanceType& t) { return Texts{std::to_string(t.memory_mib)}; }},
    {"burstable-performance-supported",
     [](const State&, const InstanceType& t) { return Texts{text_of(t.is_burstable)}; }},
    {"current-generation",
     [](const State&, const InstanceType& t) { return Texts{text_of(is_current(t))}; }},
    {"hypervisor",
     [](const State&, const InstanceType& t) { return Texts{is_xen(t) ? "xen" : "nitro"}; }},
    {"processor-info.supported-architecture",
     [](const State&, const InstanceType&) { return Texts{"x86_64"}; }},
    {"bare-metal", [](const State&, const InstanceType&) { return Texts{"false"}; }},
    {"supported-virtualization-type",
     [](const State&, const InstanceType&) { return Texts{"hvm"}; }},
    {"supported-root-device-type", [](const State&, const InstanceType&) { return Texts{"ebs"}; }},
    {"supported-usage-class", [](const State&, const InstanceType&) { return Texts{"on-demand"}; }},
});

Value list_of(const char* word) { return Value(Value::List{Value(word)}); }

Value ebs_info(const InstanceType& type) {
  const bool has_own = type.ebs_bytes_per_second != 0;
  Value out{{"EbsOptimizedSupport", has_own ? "default" : "unsupported"},
            {"EncryptionSupport", "unsupported"}};
  if (has_own) {
    const auto bytes = static_cast<std::int64_t>(type.ebs_bytes_per_second);
    out.set("EbsOptimizedInfo",
            Value{{"BaselineBandwidthInMbps", bytes * 8 / 1'000'000},
                  {"BaselineThroughputInMBps", static_cast<double>(bytes) / 1e6}});
  }
  return out;
}

std::string network_performance(const InstanceType& type) {
  return fmt::format("{} Gigabit", static_cast<double>(type.network_bits_per_second) / 1e9);
}

Value write_type(const Site&, const InstanceType& type) {
  const int threads = threads_of(type);
  Value out{{"InstanceType", type.name},
            {"CurrentGeneration", is_current(type)},
            {"FreeTierEligible", type.name == "t2.micro"},
            {"BareMetal", false},
            {"Hypervisor", is_xen(type) ? "xen" : "nitro"},
            {"InstanceStorageSupported", false},
            {"HibernationSupported", false},
            {"BurstablePerformanceSupported", type.is_burstable},
            {"DedicatedHostsSupported", false},
            {"AutoRecoverySupported", false}};
  out.set("SupportedUsageClasses", list_of("on-demand"));
  out.set("SupportedRootDeviceTypes", list_of("ebs"));
  out.set("SupportedVirtualizationTypes", list_of("hvm"));
  Value processor;
  processor.set("SupportedArchitectures", list_of("x86_64"));
  out.set("ProcessorInfo", std::move(processor));
  out.set("VCpuInfo", Value{{"DefaultVCpus", type.vcpus},
                            {"DefaultCores", type.vcpus / threads},
                            {"DefaultThreadsPerCore", threads}});
  Value memory;
  memory.set("SizeInMiB", static_cast<std::int64_t>(type.memory_mib));
  out.set("MemoryInfo", std::move(memory));
  out.set("EbsInfo", ebs_info(type));
  out.set("NetworkInfo", Value{{"NetworkPerformance", network_performance(type)},
                               {"MaximumNetworkInterfaces", 1},
                               {"Ipv4AddressesPerInterface", 1},
                               {"Ipv6AddressesPerInterface", 0},
                               {"Ipv6Supported", false}});
  return out;
}

constexpr Listing<InstanceType> types{"InstanceTypes", {}, {}, {}, {}, {}, type_fields, write_type};

Result<Value> describe(const Site& site, const Value& input) {
  std::map<std::string, InstanceType> records;
  const Texts asked = input.texts("InstanceTypes");
  for (const std::string& name : asked) {
    const InstanceType* found = model::find_instance_type(name);
    if (found == nullptr) {
      return fail("InvalidInstanceType", fmt::format("The following supplied instance types do not "
                                                     "exist: [{}]",
                                                     name.substr(0, 100)));
    }
    records.emplace(name, *found);
  }
  if (asked.empty()) {
    for (const InstanceType& type : model::instance_types()) {
      records.emplace(type.name, type);
    }
  }
  return list_records(site, records, input, types);
}

// ---------------------------------------------------------------- offerings
struct Offering {
  std::string type;
  std::string location_type;
  std::string location;
};

constexpr auto offering_fields = std::to_array<Field<Offering>>({
    {"instance-type", [](const State&, const Offering& o) { return Texts{o.type}; }},
    {"location", [](const State&, const Offering& o) { return Texts{o.location}; }},
});

Value write_offering(const Site&, const Offering& offering) {
  return {{"InstanceType", offering.type},
          {"LocationType", offering.location_type},
          {"Location", offering.location}};
}

constexpr Listing<Offering> offerings{"InstanceTypeOfferings", {}, {}, {}, {}, {}, offering_fields,
                                      write_offering};

Result<Value> describe_offerings(const Site& site, const Value& input) {
  const std::string location_type = input.text("LocationType", "region");
  std::set<std::string> locations;
  if (location_type == "region") locations.insert(site.region);
  for (const auto& [id, subnet] : site.state.subnets) {
    if (location_type == "availability-zone") locations.insert(subnet.zone);
    if (location_type == "availability-zone-id") locations.insert(subnet.zone_id);
  }
  std::map<std::string, Offering> records;
  for (const InstanceType& type : model::instance_types()) {
    for (const std::string& location : locations) {
      const std::string name(type.name);
      records[name + " " + location] = {name, location_type, location};
    }
  }
  return list_records(site, records, input, offerings);
}

}  // namespace

void add_instance_types(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeInstanceTypes"] = reading(parts, describe);
  handlers["DescribeInstanceTypeOfferings"] = reading(parts, describe_offerings);
}

}  // namespace weir::aws::ec2
