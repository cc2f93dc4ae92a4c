#include "compute/instance_files.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <sstream>

#include "compute/image.hpp"
#include "compute/tree.hpp"
#include "compute/validate.hpp"

namespace weir::compute {
namespace {

namespace fs = std::filesystem;

constexpr off_t console_bytes_max = 16 * 1024 * 1024;

Status make_folder(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return fail_errno("cannot make the folder " + path, errno);
  }
  return {};
}

Status write_file(const std::string& path, std::string_view content, mode_t mode) {
  const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return fail_errno("cannot write " + path, errno);
  while (!content.empty()) {
    const ssize_t written = write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("cannot write " + path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status make_layers(const std::string& folder) {
  for (const char* name : {"root-upper", "root-work", "usr-upper", "usr-work", "usr-local",
                           "usr-local/bin", "usr-local/lib", "usr-local/share", "merged"}) {
    if (Status status = make_folder(folder + "/" + name, 0755); !status) return status;
  }
  return {};
}

// What /run/weir shows: process 1's program and, at the first boot, the user data. A link, not a
// copy: it is the same program for all, and read-only for them.
Status make_boot_folder(const Layout& layout, const InstanceSpec& spec) {
  const std::string folder = layout.instance_dir(spec.id);
  if (Status status = remove_tree(folder, "boot"); !status) return status;
  const std::string boot = folder + "/boot";
  if (Status status = make_folder(boot, 0755); !status) return status;
  if (link((layout.boot_dir() + "/init").c_str(), (boot + "/init").c_str()) != 0) {
    return fail_errno("cannot link weir-init into " + boot, errno);
  }
  if (!spec.is_first_boot || spec.user_data.empty()) return {};
  return write_file(boot + "/user-data", spec.user_data, 0600);
}

std::uint64_t open_files_max() {
  constexpr rlim_t wanted = 1'048'576;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return std::min<rlim_t>(wanted, limit.rlim_max);
}

Result<Fd> open_log(const std::string& path, int flags) {
  Fd file(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600));
  if (!file) return fail_errno("cannot open " + path, errno);
  return file;
}

}  // namespace

Status prepare_folder(const Layout& layout, const InstanceSpec& spec, bool has_way_out,
                      BundleInput& input) {
  const std::string folder = layout.instance_dir(spec.id);
  if (spec.is_first_boot) {
    if (Status status = remove_tree(layout.instances_dir(), spec.id); !status) return status;
    if (Status status = make_folder(folder, 0700); !status) return status;
  } else if (!fs::is_directory(folder + "/root-upper")) {
    return fail("InvalidInstanceID.NotFound", spec.id + " has no file system on this machine");
  }
  if (Status status = make_layers(folder); !status) return status;
  if (spec.is_first_boot) {
    const Identity identity{spec.hostname, spec.private_ip, spec.public_key, has_way_out};
    if (Status status = personalise(folder + "/root-upper", identity); !status) return status;
  }
  if (Status status = make_boot_folder(layout, spec); !status) return status;
  input.folder = folder;
  input.boot_folder = layout.boot_dir();
  input.uses_host_usr = image_uses_host_usr(layout.state_dir, spec.image_id);
  input.open_files_max = open_files_max();
  input.disk = disk_of(layout.state_dir);
  return {};
}

Status mount_root(const Layout& layout, const InstanceSpec& spec, bool is_user_namespace) {
  const auto lower = ensure_image_template(layout.state_dir, spec.image_id);
  if (!lower) return std::unexpected(lower.error());
  const std::string folder = layout.instance_dir(spec.id);
  std::string options =
      "lowerdir=" + *lower + ",upperdir=" + folder + "/root-upper,workdir=" + folder + "/root-work";
  // Without privilege over the disk an overlay keeps its notes in user.* attributes.
  if (is_user_namespace) options += ",userxattr";
  if (mount("overlay", (folder + "/merged").c_str(), "overlay", MS_NODEV, options.c_str()) != 0) {
    return fail_errno("cannot mount the root file system of " + spec.id, errno,
                      "the state folder must lie on ext4, xfs, btrfs or tmpfs, not on an overlay, "
                      "NFS or FUSE; the kernel needs overlayfs");
  }
  return {};
}

void unmount_root(const Layout& layout, const std::string& id) {
  umount2((layout.instance_dir(id) + "/merged").c_str(), MNT_DETACH);
}

Status write_bundle(const InstanceSpec& spec, const BundleInput& input) {
  return write_file(input.folder + "/config.json", render_bundle(spec, input), 0600);
}

Result<Fd> open_console(const Layout& layout, const std::string& id) {
  const std::string path = layout.instance_dir(id) + "/" + console_file;
  struct stat info {};
  const bool is_large = lstat(path.c_str(), &info) == 0 && info.st_size > console_bytes_max;
  return open_log(path, is_large ? O_TRUNC : 0);
}

Result<Fd> open_status(const Layout& layout, const std::string& id, bool is_first_boot) {
  return open_log(layout.instance_dir(id) + "/" + status_file, is_first_boot ? O_TRUNC : 0);
}

Status write_record(const Layout& layout, const std::string& id, const ProcessIdentity& process) {
  const std::string path = layout.instance_dir(id) + "/" + record_file;
  const std::string text =
      std::to_string(process.pid) + " " + std::to_string(process.start_time) + "\n";
  // By rename: half a record could name another process.
  if (Status status = write_file(path + ".new", text, 0600); !status) return status;
  if (rename((path + ".new").c_str(), path.c_str()) != 0) {
    return fail_errno("cannot write " + path, errno);
  }
  return {};
}

std::optional<ProcessIdentity> read_record(const Layout& layout, const std::string& id) {
  const std::string path = layout.instance_dir(id) + "/" + record_file;
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::array<char, 64> buffer{};
  const ssize_t size = file ? read(file.get(), buffer.data(), buffer.size()) : -1;
  if (size <= 0) return std::nullopt;
  std::istringstream text(std::string(buffer.data(), static_cast<std::size_t>(size)));
  ProcessIdentity process;
  if (!(text >> process.pid >> process.start_time)) return std::nullopt;
  return process;
}

void remove_record(const Layout& layout, const std::string& id) {
  unlink((layout.instance_dir(id) + "/" + record_file).c_str());
}

std::vector<std::string> list_folders(const Layout& layout) {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(layout.instances_dir(), error)) {
    const std::string name = entry.path().filename();
    if (is_instance_id(name) && entry.is_directory(error)) ids.push_back(name);
  }
  return ids;
}

}  // namespace weir::compute
