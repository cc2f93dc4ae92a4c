// Images: the one that is built in, and those that `weir image import` has brought.
#include "aws/ec2/instance_shapes.hpp"

namespace weir::aws::ec2 {
namespace {

using control::State;

struct Image {
  std::string id;
  std::string owner;
  std::string name;
  bool is_built_in = false;
};

constexpr std::string_view canonical = "099720109477";  // the owner of Ubuntu's images
constexpr std::string_view built_in_name =
    "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20220912";
constexpr std::string_view created = "2022-09-12T00:00:00.000Z";

constexpr auto image_fields = std::to_array<Field<Image>>({
    {"image-id", [](const State&, const Image& i) { return Texts{i.id}; }},
    {"name", [](const State&, const Image& i) { return Texts{i.name}; }},
    {"owner-id", [](const State&, const Image& i) { return Texts{i.owner}; }},
    {"state", [](const State&, const Image&) { return Texts{"available"}; }},
    {"architecture", [](const State&, const Image&) { return Texts{"x86_64"}; }},
    {"image-type", [](const State&, const Image&) { return Texts{"machine"}; }},
    {"is-public",
     [](const State&, const Image& i) { return Texts{i.is_built_in ? "true" : "false"}; }},
    {"hypervisor", [](const State&, const Image&) { return Texts{"xen"}; }},
    {"root-device-type", [](const State&, const Image&) { return Texts{"ebs"}; }},
    {"root-device-name",
     [](const State&, const Image&) { return Texts{std::string(root_device)}; }},
    {"virtualization-type", [](const State&, const Image&) { return Texts{"hvm"}; }},
});

Value write_image(const Site&, const Image& image) {
  Value ebs{{"DeleteOnTermination", true},
            {"VolumeSize", 8},
            {"VolumeType", "gp2"},
            {"Encrypted", false}};
  Value device{{"DeviceName", root_device}};
  device.set("Ebs", std::move(ebs));
  Value out{{"PlatformDetails", "Linux/UNIX"},
            {"UsageOperation", "RunInstances"},
            {"EnaSupport", true},
            {"Hypervisor", "xen"},
            {"Name", image.name},
            {"RootDeviceName", root_device},
            {"RootDeviceType", "ebs"},
            {"VirtualizationType", "hvm"},
            {"ImageId", image.id},
            {"ImageLocation", image.owner + "/" + image.name},
            {"State", "available"},
            {"OwnerId", image.owner},
            {"Public", image.is_built_in},
            {"Architecture", "x86_64"},
            {"ImageType", "machine"}};
  if (image.is_built_in) out.set("CreationDate", created);
  out.set("BlockDeviceMappings", Value(Value::List{std::move(device)}));
  return out;
}

constexpr Listing<Image> listing{
    "Images",   "ImageIds",   "ami-",     "InvalidAMIID.Malformed", "InvalidAMIID.NotFound",
    "image id", image_fields, write_image};

bool is_of(const Image& image, const Texts& owners, const std::string& account) {
  if (owners.empty()) return true;
  return std::ranges::any_of(owners, [&](const std::string& owner) {
    return owner == image.owner || (owner == "self" && image.owner == account) ||
           (owner == "amazon" && image.is_built_in);
  });
}

Result<Value> describe(const Site& site, const Texts& ids, const Value& input) {
  std::map<std::string, Image> records;
  const Texts owners = input.texts("Owners");
  for (std::size_t at = 0; at < ids.size(); ++at) {
    const bool is_built_in = at == 0;
    Image image{ids[at], std::string(is_built_in ? canonical : std::string_view(site.account)),
                std::string(is_built_in ? built_in_name : std::string_view(ids[at])), is_built_in};
    if (is_of(image, owners, site.account)) records.emplace(image.id, std::move(image));
  }
  return list_records(site, records, input, listing);
}

}  // namespace

void add_images(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeImages"] =
      reading(parts, [parts](const Site& site, const Value& input) -> Result<Value> {
        return describe(site, parts.images(), input);
      });
}

}  // namespace weir::aws::ec2
