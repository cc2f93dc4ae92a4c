// What an instance may read: a list of leaves, path and content, from which directory listings
// follow. Made for each question; an instance asks a few dozen times in its life.
#include "compute/metadata.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/clock.hpp"

namespace weir::compute {
namespace {

// All of them tell the same.
constexpr std::array<std::string_view, 29> versions = {
    "1.0",        "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15",
    "2008-02-01", "2008-09-01", "2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12",
    "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19", "2016-06-30", "2016-09-02",
    "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03",
    "2021-03-23", "2021-07-15", "2022-09-24", "2024-04-11", "latest"};

using Leaf = std::pair<std::string, std::string>;

class Leaves {
 public:
  // What is not known is not there.
  void add(std::string path, std::string content) {
    if (!content.empty()) add_even_empty(std::move(path), std::move(content));
  }
  void add_even_empty(std::string path, std::string content) {
    leaves_.emplace_back(std::move(path), std::move(content));
  }
  [[nodiscard]] const std::vector<Leaf>& all() const { return leaves_; }

 private:
  std::vector<Leaf> leaves_;
};

std::string lines(const std::vector<std::string>& values) {
  return fmt::format("{}", fmt::join(values, "\n"));
}

// EC2 writes its times in whole seconds here.
std::string seconds_only(std::int64_t wall_time_ms) {
  std::string text = iso8601(wall_time_ms);
  const auto dot = text.find('.');
  if (dot != std::string::npos) text.replace(dot, std::string::npos, "Z");
  return text;
}

std::string identity_document(const MetadataDocument& document) {
  const nlohmann::ordered_json json = {
      {"accountId", document.owner_id},
      {"architecture", "x86_64"},
      {"availabilityZone", document.zone},
      {"billingProducts", nullptr},
      {"devpayProductCodes", nullptr},
      {"marketplaceProductCodes", nullptr},
      {"imageId", document.ami_id},
      {"instanceId", document.instance_id},
      {"instanceType", document.instance_type},
      {"kernelId", nullptr},
      {"pendingTime", seconds_only(document.launch_time_ms)},
      {"privateIp", document.local_ipv4},
      {"ramdiskId", nullptr},
      {"region", document.region},
      {"version", "2017-09-30"},
  };
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void add_interface(const MetadataDocument& document, Leaves& leaves) {
  if (document.mac.empty()) return;
  const std::string base = "meta-data/network/interfaces/macs/" + document.mac + "/";
  leaves.add(base + "device-number", "0");
  leaves.add(base + "local-hostname", document.local_hostname);
  leaves.add(base + "local-ipv4s", document.local_ipv4);
  leaves.add(base + "mac", document.mac);
  leaves.add(base + "owner-id", document.owner_id);
  leaves.add(base + "security-group-ids", lines(document.security_group_ids));
  leaves.add(base + "security-groups", lines(document.security_groups));
  leaves.add(base + "subnet-id", document.subnet_id);
  leaves.add(base + "subnet-ipv4-cidr-block", document.subnet_cidr);
  leaves.add(base + "vpc-id", document.vpc_id);
  leaves.add(base + "vpc-ipv4-cidr-block", document.vpc_cidr);
  leaves.add(base + "vpc-ipv4-cidr-blocks", document.vpc_cidr);
}

void add_tags(const MetadataDocument& document, Leaves& leaves) {
  for (const auto& [key, value] : document.tags) {
    // EC2 refuses such keys where tags are shown in metadata.
    const bool is_path_safe = key != "." && key != ".." && key.find('/') == std::string::npos;
    if (is_path_safe && !key.empty())
      leaves.add_even_empty("meta-data/tags/instance/" + key, value);
  }
}

Leaves leaves_of(const MetadataDocument& document) {
  Leaves leaves;
  leaves.add("dynamic/instance-identity/document", identity_document(document));
  leaves.add("meta-data/ami-id", document.ami_id);
  leaves.add("meta-data/ami-launch-index", std::to_string(document.ami_launch_index));
  leaves.add("meta-data/ami-manifest-path", "(unknown)");
  leaves.add("meta-data/block-device-mapping/ami", "/dev/sda1");
  leaves.add("meta-data/block-device-mapping/root", "/dev/sda1");
  leaves.add("meta-data/events/maintenance/history", "[]");
  leaves.add("meta-data/events/maintenance/scheduled", "[]");
  leaves.add("meta-data/hostname", document.local_hostname);
  leaves.add("meta-data/instance-action", "none");
  leaves.add("meta-data/instance-id", document.instance_id);
  leaves.add("meta-data/instance-life-cycle", "on-demand");
  leaves.add("meta-data/instance-type", document.instance_type);
  leaves.add("meta-data/local-hostname", document.local_hostname);
  leaves.add("meta-data/local-ipv4", document.local_ipv4);
  leaves.add("meta-data/mac", document.mac);
  leaves.add("meta-data/metrics/vhostmd", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
  add_interface(document, leaves);
  leaves.add("meta-data/placement/availability-zone", document.zone);
  leaves.add("meta-data/placement/availability-zone-id", document.zone_id);
  leaves.add("meta-data/placement/region", document.region);
  leaves.add("meta-data/profile", "default-hvm");
  if (!document.key_name.empty()) {
    leaves.add("meta-data/public-keys/0/openssh-key", document.public_key);
  }
  leaves.add("meta-data/reservation-id", document.reservation_id);
  leaves.add("meta-data/security-groups", lines(document.security_groups));
  leaves.add("meta-data/services/domain", "amazonaws.com");
  leaves.add("meta-data/services/partition", "aws");
  add_tags(document, leaves);
  leaves.add("user-data", document.user_data);
  return leaves;
}

// The names in a directory ("" or ending with '/'), one a line; those of directories end with '/'
// but directly under a version, as EC2 has it. Nothing: there is no such directory.
std::optional<std::string> listing(const std::vector<Leaf>& leaves, const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& [path, content] : leaves) {
    if (!path.starts_with(directory)) continue;
    const std::string rest = path.substr(directory.size());
    const auto slash = rest.find('/');
    const bool keeps_slash = slash != std::string::npos && !directory.empty();
    names.push_back(rest.substr(0, keeps_slash ? slash + 1 : slash));
  }
  if (names.empty()) return std::nullopt;
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return lines(names);
}

// Repeated slashes count as one, as EC2 has it.
std::string squeeze_slashes(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  }
  return out;
}

MetadataAnswer not_found() {
  return {404,
          "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html><head><title>404 - Not Found"
          "</title></head><body><h1>404 - Not Found</h1></body></html>\n",
          "text/html"};
}

MetadataAnswer answer_in_version(const MetadataDocument& document, std::string path) {
  const Leaves leaves = leaves_of(document);
  for (const auto& [leaf, content] : leaves.all()) {
    if (leaf != path) continue;
    return {200, content, path == "user-data" ? "application/octet-stream" : "text/plain"};
  }
  if (!path.empty() && !path.ends_with('/')) path += '/';
  auto names = listing(leaves.all(), path);
  if (!names) return not_found();
  // The one directory whose names are not those of its entries.
  if (path == "meta-data/public-keys/") names = "0=" + document.key_name;
  return {200, *names, "text/plain"};
}

}  // namespace

MetadataAnswer answer_metadata(const MetadataDocument& document, std::string_view path) {
  const std::string squeezed = squeeze_slashes(path);
  if (!squeezed.starts_with('/')) return not_found();
  if (squeezed == "/") return {200, fmt::format("{}", fmt::join(versions, "\n")), "text/plain"};
  const auto end = std::min(squeezed.find('/', 1), squeezed.size());
  const std::string_view version = std::string_view(squeezed).substr(1, end - 1);
  if (std::ranges::find(versions, version) == versions.end()) return not_found();
  return answer_in_version(document, end < squeezed.size() ? squeezed.substr(end + 1) : "");
}

}  // namespace weir::compute
