#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "compute/bundle.hpp"

namespace weir::compute {
namespace {

using nlohmann::json;

InstanceSpec spec() {
  InstanceSpec spec;
  spec.id = "i-0123456789abcdef0";
  spec.hostname = "ip-172-31-0-10.ec2.internal";
  spec.vcpus = 2;
  spec.memory_mib = 8192;
  spec.ebs_bytes_per_second = 56'250'000;
  spec.user_data = "#!/bin/sh\n";
  return spec;
}

BundleInput input() {
  BundleInput input;
  input.folder = "/state/instances/i-0123456789abcdef0";
  input.boot_folder = "/state/boot";
  input.network_namespace = "/proc/7/fd/9";
  input.cgroup = "/weir-a1b2c3/i-0123456789abcdef0";
  input.uses_host_usr = true;
  input.open_files_max = 20'000;
  input.disk = BlockDevice{254, 0};
  return input;
}

json render(const InstanceSpec& spec, const BundleInput& input) {
  return json::parse(render_bundle(spec, input));
}

const json* mount_at(const json& config, const std::string& destination) {
  for (const json& mount : config["mounts"]) {
    if (mount["destination"] == destination) return &mount;
  }
  return nullptr;
}

TEST(Bundle, LimitsAreThoseOfTheType) {
  const json config = render(spec(), input());
  const json& resources = config["linux"]["resources"];
  EXPECT_EQ(config["linux"]["cgroupsPath"], "/weir-a1b2c3/i-0123456789abcdef0");
  EXPECT_EQ(resources["cpu"]["quota"], 200'000);
  EXPECT_EQ(resources["cpu"]["period"], 100'000);
  EXPECT_EQ(resources["memory"]["limit"], 8'589'934'592);
  EXPECT_EQ(resources["pids"]["limit"], 4'096);
  const json throttle = {{"major", 254}, {"minor", 0}, {"rate", 56'250'000}};
  EXPECT_EQ(resources["blockIO"]["throttleWriteBpsDevice"][0], throttle);
  EXPECT_EQ(resources["blockIO"]["throttleReadBpsDevice"][0], throttle);
  EXPECT_EQ(config["process"]["rlimits"][0]["hard"], 20'000);
}

TEST(Bundle, NoDiskLimitWithoutADisk) {
  BundleInput tmpfs = input();
  tmpfs.disk.reset();
  EXPECT_FALSE(render(spec(), tmpfs)["linux"]["resources"].contains("blockIO"));
}

TEST(Bundle, RootlessHasNoCgroupAndItsOwnOverlayOptions) {
  BundleInput rootless = input();
  rootless.cgroup.clear();
  rootless.is_user_namespace = true;
  rootless.has_uid_range = false;
  const json config = render(spec(), rootless);
  EXPECT_FALSE(config["linux"].contains("cgroupsPath"));
  EXPECT_FALSE(config["linux"].contains("resources"));
  EXPECT_EQ((*mount_at(config, "/usr"))["options"].back(), "userxattr");
  for (const json& option : (*mount_at(config, "/dev/pts"))["options"]) EXPECT_NE(option, "gid=5");
}

TEST(Bundle, ProcessOneGetsUserDataAtItsFirstBootOnly) {
  const auto args = [](const InstanceSpec& of) {
    return render(of, input())["process"]["args"].get<std::vector<std::string>>();
  };
  const std::vector<std::string> first = {
      "/run/weir/init", "--id", "i-0123456789abcdef0", "--user-data", "/run/weir/user-data",
      "--status-fd",    "3"};
  EXPECT_EQ(args(spec()), first);
  InstanceSpec again = spec();
  again.is_first_boot = false;
  const std::vector<std::string> later = {"/run/weir/init", "--id", "i-0123456789abcdef0",
                                          "--status-fd", "3"};
  EXPECT_EQ(args(again), later);
  InstanceSpec nothing = spec();
  nothing.user_data.clear();
  EXPECT_EQ(args(nothing), later);
}

TEST(Bundle, InstanceCannotTouchItsFirewall) {
  const json config = render(spec(), input());
  for (const json& capability : config["process"]["capabilities"]["bounding"]) {
    EXPECT_NE(capability, "CAP_NET_ADMIN");
    EXPECT_NE(capability, "CAP_SYS_ADMIN");
  }
  EXPECT_EQ(config["linux"]["namespaces"][4]["path"], "/proc/7/fd/9");
}

TEST(Bundle, ImportedImageBringsItsOwnUsr) {
  BundleInput imported = input();
  imported.uses_host_usr = false;
  const json config = render(spec(), imported);
  EXPECT_EQ(mount_at(config, "/usr"), nullptr);
  EXPECT_EQ(mount_at(config, "/opt/weir/bin"), nullptr);
  EXPECT_NE(mount_at(config, "/run/weir"), nullptr);
}

}  // namespace
}  // namespace weir::compute
