#include "compute/bundle.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace weir::compute {
namespace {

using nlohmann::json;

constexpr int processes_max = 4'096;
constexpr int cpu_period_us = 100'000;

// Docker's default set without NET_ADMIN (with it an instance could remove its own firewall) and
// without MKNOD, for which it has no devices.
json capabilities() {
  const json set = {"CAP_AUDIT_WRITE",      "CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FOWNER",
                    "CAP_FSETID",           "CAP_KILL",   "CAP_NET_RAW",      "CAP_SETFCAP",
                    "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETPCAP",      "CAP_SETUID",
                    "CAP_SYS_CHROOT"};
  return {{"bounding", set}, {"effective", set}, {"permitted", set}};
}

// The calls that reach kernel state outside of every namespace, or much of its attack surface for
// nothing that a server needs.
json seccomp() {
#if defined(__x86_64__)
  const json architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
#elif defined(__aarch64__)
  const json architectures = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#else
  const json architectures = json::array();  // the machine's own
#endif
  return {{"defaultAction", "SCMP_ACT_ALLOW"},
          {"architectures", architectures},
          {"syscalls",
           {{{"names",
              {"add_key", "keyctl", "request_key", "bpf", "kexec_load", "kexec_file_load",
               "init_module", "finit_module", "delete_module", "open_by_handle_at",
               "perf_event_open", "userfaultfd", "lookup_dcookie"}},
             {"action", "SCMP_ACT_ERRNO"},
             {"errnoRet", 1}}}}};
}

json process(const InstanceSpec& spec, const BundleInput& input) {
  json args = {"/run/weir/init", "--id", spec.id};
  if (spec.is_first_boot && !spec.user_data.empty()) {
    args.push_back("--user-data");
    args.push_back("/run/weir/user-data");
  }
  args.push_back("--status-fd");
  args.push_back(std::to_string(status_fd));
  return {{"terminal", false},
          {"user", {{"uid", 0}, {"gid", 0}}},
          {"args", args},
          {"env",
           {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
            "LANG=C.UTF-8"}},
          {"cwd", "/"},
          {"capabilities", capabilities()},
          {"rlimits",
           {{{"type", "RLIMIT_NOFILE"},
             {"hard", input.open_files_max},
             {"soft", input.open_files_max}}}},
          {"noNewPrivileges", false}};
}

json mount(std::string destination, std::string type, std::string source, json options) {
  return {{"destination", std::move(destination)},
          {"type", std::move(type)},
          {"source", std::move(source)},
          {"options", std::move(options)}};
}

json mounts(const BundleInput& input) {
  const std::string& folder = input.folder;
  json list = json::array();
  if (input.uses_host_usr) {
    // An overlay of its own: what an instance installs into /usr stays in the instance.
    json options = {"lowerdir=/usr", "upperdir=" + folder + "/usr-upper",
                    "workdir=" + folder + "/usr-work"};
    if (input.is_user_namespace) options.push_back("userxattr");
    list.push_back(mount("/usr", "overlay", "overlay", options));
    // Hidden: what the machine's owner keeps there is private.
    list.push_back(mount("/usr/local", "bind", folder + "/usr-local", {"bind", "nodev"}));
  }
  list.push_back(mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  list.push_back(
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  json devpts = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
  if (input.has_uid_range) devpts.push_back("gid=5");  // without a range the group does not exist
  list.push_back(mount("/dev/pts", "devpts", "devpts", devpts));
  list.push_back(mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777"}));
  list.push_back(mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  list.push_back(mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
  list.push_back(mount("/run", "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=0755"}));
  list.push_back(mount("/run/weir", "bind", folder + "/boot", {"bind", "ro", "nosuid", "nodev"}));
  if (input.uses_host_usr) {
    list.push_back(
        mount("/opt/weir/bin", "bind", input.boot_folder, {"bind", "ro", "nosuid", "nodev"}));
  }
  return list;
}

json resources(const InstanceSpec& spec, const BundleInput& input) {
  json value = {{"devices", {{{"allow", false}, {"access", "rwm"}}}},
                {"cpu",
                 {{"quota", std::int64_t{spec.vcpus} * cpu_period_us},
                  {"period", cpu_period_us},
                  {"shares", 1024}}},
                {"memory", {{"limit", static_cast<std::int64_t>(spec.memory_mib * 1024 * 1024)}}},
                {"pids", {{"limit", processes_max}}}};
  if (input.disk && spec.ebs_bytes_per_second > 0) {
    const json throttle = {{{"major", input.disk->major},
                            {"minor", input.disk->minor},
                            {"rate", spec.ebs_bytes_per_second}}};
    value["blockIO"] = {{"throttleReadBpsDevice", throttle}, {"throttleWriteBpsDevice", throttle}};
  }
  return value;
}

json linux_section(const InstanceSpec& spec, const BundleInput& input) {
  json value = {{"namespaces",
                 {{{"type", "pid"}},
                  {{"type", "ipc"}},
                  {{"type", "uts"}},
                  {{"type", "mount"}},
                  {{"type", "network"}, {"path", input.network_namespace}}}},
                {"seccomp", seccomp()},
                {"maskedPaths",
                 {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                  "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
                  "/sys/firmware", "/sys/devices/virtual/powercap"}},
                {"readonlyPaths",
                 {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}};
  if (!input.cgroup.empty()) {
    value["cgroupsPath"] = input.cgroup;
    value["resources"] = resources(spec, input);
  }
  return value;
}

}  // namespace

std::string render_bundle(const InstanceSpec& spec, const BundleInput& input) {
  const json config = {{"ociVersion", "1.0.2"},
                       {"root", {{"path", input.folder + "/merged"}, {"readonly", false}}},
                       {"hostname", spec.hostname.substr(0, spec.hostname.find('.'))},
                       {"process", process(spec, input)},
                       {"mounts", mounts(input)},
                       {"linux", linux_section(spec, input)}};
  return config.dump(2);
}

std::optional<BlockDevice> disk_of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || major(info.st_dev) == 0) return std::nullopt;
  BlockDevice device{major(info.st_dev), minor(info.st_dev)};
  // Throttling works on whole disks: a partition's folder in sysfs lies in its disk's.
  const std::string entry = fmt::format("/sys/dev/block/{}:{}", device.major, device.minor);
  if (std::ifstream(entry + "/partition").good()) {
    char colon = 0;
    std::ifstream(entry + "/../dev") >> device.major >> colon >> device.minor;
  }
  return device;
}

}  // namespace weir::compute
