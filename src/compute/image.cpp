// Where images lie, and how a template comes to be there at once or not at all: it is built under
// a name of its own and renamed. Layout under <state>/images/<image id>/:
//   rootfs               an imported image
//   machine-<stamp>      the built-in image, one for each state of the machine it was made from
#include "compute/image.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/ids.hpp"
#include "compute/boot/embedded.hpp"
#include "compute/image_builtin.hpp"
#include "compute/image_identity.hpp"
#include "compute/image_import.hpp"
#include "compute/image_tree.hpp"

namespace weir::compute {
namespace {

std::string images_directory(const std::string& state_dir) { return state_dir + "/images"; }

std::string imported_rootfs(const std::string& state_dir, const std::string& image_id) {
  return images_directory(state_dir) + "/" + image_id + "/rootfs";
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_image_id(std::string_view id) {
  constexpr std::string_view prefix = "ami-";
  if (!id.starts_with(prefix)) return false;
  id.remove_prefix(prefix.size());
  return (id.size() == 8 || id.size() == 17) &&
         id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status make_directory(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || (errno == EEXIST && is_directory(path))) return {};
  return fail_errno("cannot make " + path, errno);
}

// Makes `destination` by letting `fill` fill a new directory, which then gets that name. Where
// somebody else was quicker, his stays.
template <typename Fill>
Status make_atomically(const std::string& state_dir, const std::string& image_id,
                       const std::string& destination, Fill&& fill) {
  const std::string images = images_directory(state_dir);
  const std::string temporary = images + "/.new-" + random_hex(16);
  auto made = make_directory(images, 0700);
  if (made) made = make_directory(images + "/" + image_id, 0700);
  if (made && ::mkdir(temporary.c_str(), 0700) != 0) {
    made = fail_errno("cannot make " + temporary, errno);
  }
  if (!made) return made;
  auto filled = fill(temporary);
  // The root directory of every instance.
  if (filled && ::chmod(temporary.c_str(), 0755) != 0) filled = fail_errno("chmod", errno);
  if (filled && ::rename(temporary.c_str(), destination.c_str()) == 0) return {};
  const int rename_error = errno;
  remove_image_tree(temporary);
  if (!filled) {
    ::rmdir((images + "/" + image_id).c_str());  // only where it is empty
    return filled;
  }
  if (is_directory(destination)) return {};
  return fail_errno("cannot make " + destination, rename_error);
}

std::unexpected<Error> not_found(const std::string& state_dir, const std::string& image_id) {
  std::string known;
  for (const auto& id : list_images(state_dir)) known += (known.empty() ? "" : ", ") + id;
  return fail("InvalidAMIID.NotFound", "The image id '[" + image_id + "]' does not exist",
              "Images here: " + known +
                  ". `weir image import AMI-ID rootfs.tar` gives an id a root file system.");
}

}  // namespace

Result<std::string> ensure_image_template(const std::string& state_dir,
                                          const std::string& image_id) {
  if (!is_image_id(image_id)) return not_found(state_dir, image_id);
  const std::string imported = imported_rootfs(state_dir, image_id);
  if (is_directory(imported)) return imported;
  if (image_id != builtin_image_id) return not_found(state_dir, image_id);
  const std::string destination =
      images_directory(state_dir) + "/" + image_id + "/machine-" + builtin_template_stamp();
  if (is_directory(destination)) return destination;
  auto made = make_atomically(state_dir, image_id, destination, build_builtin_template);
  if (!made) return std::unexpected(made.error());
  return destination;
}

bool image_uses_host_usr(const std::string& state_dir, const std::string& image_id) {
  return image_id == builtin_image_id && !is_directory(imported_rootfs(state_dir, image_id));
}

Status import_image(const std::string& state_dir, const std::string& image_id,
                    const std::string& tar_path) {
  if (!is_image_id(image_id)) {
    return fail("InvalidAMIID.Malformed", "Invalid id: \"" + image_id + "\"",
                "An image id is ami- and 8 or 17 hexadecimal digits, such as " +
                    std::string(builtin_image_id));
  }
  const std::string destination = imported_rootfs(state_dir, image_id);
  if (is_directory(destination)) {
    return fail("InvalidAMIID.Duplicate", "The image " + image_id + " exists already",
                "Take another id; instances may still use the files of this one.");
  }
  return make_atomically(state_dir, image_id, destination,
                         [&](const std::string& root) { return unpack_image(tar_path, root); });
}

std::vector<std::string> list_images(const std::string& state_dir) {
  std::vector<std::string> ids;
  const std::string images = images_directory(state_dir);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(images.c_str()), ::closedir);
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    const std::string id = entry->d_name;
    if (is_image_id(id) && id != builtin_image_id && is_directory(imported_rootfs(state_dir, id))) {
      ids.push_back(id);
    }
  }
  std::ranges::sort(ids);
  ids.insert(ids.begin(), std::string(builtin_image_id));
  return ids;
}

Status write_boot_files(const std::string& dir) {
  for (const auto& [name, content] : {std::pair{"init", boot::init_program()},
                                      std::pair{"cluster-app", boot::cluster_app_program()}}) {
    auto written = write_program(dir, name, content);
    if (!written) return written;
  }
  return {};
}

Status personalise(const std::string& root_upper, const Identity& identity) {
  return write_identity(root_upper, identity);
}

}  // namespace weir::compute
