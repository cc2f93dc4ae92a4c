#include "compute/image_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <vector>

#include "base/assert.hpp"
#include "base/ids.hpp"

namespace weir::compute {
namespace {

constexpr int open_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr off_t copied_file_bytes_max = 4 * 1024 * 1024;
constexpr int copied_depth_max = 8;

// With a single-uid map (rootless without a range in /etc/subuid) only one owner exists; a tree
// that belongs to it altogether is the best that can be had.
bool is_tolerated_chown_error(int error) { return error == EPERM || error == EINVAL; }

Status own(int fd, Owner owner) {
  if (::fchown(fd, owner.uid, owner.gid) != 0 && !is_tolerated_chown_error(errno)) {
    return fail_errno("cannot set an owner", errno);
  }
  return {};
}

Status write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("cannot write", errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> read_whole(int fd, off_t bytes_max) {
  std::string content;
  char block[16384];
  for (;;) {
    const ssize_t got = ::read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read", errno);
    if (got == 0) return content;
    content.append(block, static_cast<std::size_t>(got));
    if (static_cast<off_t>(content.size()) > bytes_max) return fail("TooLarge", "file too large");
  }
}

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

bool is_dot(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

std::vector<std::string> entries_of(int directory_fd) {
  std::vector<std::string> names;
  Directory directory(::fdopendir(directory_fd), ::closedir);
  if (!directory) {
    ::close(directory_fd);
    return names;
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    if (!is_dot(entry->d_name)) names.emplace_back(entry->d_name);
  }
  return names;
}

void remove_at(int parent, const char* name) {
  if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return;
  struct stat status {};
  if (::fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(status.st_mode)) {
    return;
  }
  if (::fchmodat(parent, name, 0700, 0) != 0) return;
  const int fd = ::openat(parent, name, open_directory);
  if (fd >= 0) {
    const Fd keep(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    for (const auto& entry : entries_of(fd)) remove_at(keep.get(), entry.c_str());
  }
  ::unlinkat(parent, name, AT_REMOVEDIR);
}

}  // namespace

Result<ImageTree> ImageTree::open(const std::string& root) {
  ImageTree tree;
  tree.root_ = Fd(::open(root.c_str(), open_directory));
  if (!tree.root_) return fail_errno("cannot open " + root, errno);
  return tree;
}

Result<int> ImageTree::parent(std::string_view path, std::string& name) {
  WEIR_ASSERT(!path.empty() && path.front() != '/');
  const auto slash = path.rfind('/');
  name = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  if (slash == std::string_view::npos) return root_.get();
  const auto directory = path.substr(0, slash);
  if (parent_.valid() && directory == parent_path_) return parent_.get();
  Fd current(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 0));
  for (std::size_t at = 0; at < directory.size();) {
    const auto end = std::min(directory.find('/', at), directory.size());
    const std::string component(directory.substr(at, end - at));
    WEIR_ASSERT(!is_dot(component.c_str()) && !component.empty());
    Fd next(::openat(current.get(), component.c_str(), open_directory));
    if (!next) return fail_errno("cannot enter " + std::string(directory.substr(0, end)), errno);
    current = std::move(next);
    at = end + 1;
  }
  parent_ = std::move(current);
  parent_path_ = directory;
  return parent_.get();
}

Status ImageTree::directory(std::string_view path, mode_t mode, Owner owner) {
  for (auto slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    std::string name;
    const auto up = parent(path.substr(0, slash), name);
    if (!up) return std::unexpected(up.error());
    const bool is_made = ::mkdirat(*up, name.c_str(), 0755) == 0;
    // Whatever the umask is.
    if (is_made ? ::fchmodat(*up, name.c_str(), 0755, 0) != 0 : errno != EEXIST) {
      return fail_errno("cannot make " + std::string(path.substr(0, slash)), errno);
    }
  }
  std::string name;
  const auto up = parent(path, name);
  if (!up) return std::unexpected(up.error());
  const bool is_new = ::mkdirat(*up, name.c_str(), 0700) == 0;
  if (!is_new && errno != EEXIST) return fail_errno("cannot make " + std::string(path), errno);
  const Fd fd(::openat(*up, name.c_str(), open_directory));
  if (!fd) return fail_errno("cannot enter " + std::string(path), errno);
  if (!is_new) return {};
  if (auto owned = own(fd.get(), owner); !owned) return owned;
  if (::fchmod(fd.get(), mode) != 0) return fail_errno("cannot set the mode", errno);
  return {};
}

Status ImageTree::file(std::string_view path, std::string_view content, mode_t mode, Owner owner) {
  std::string name;
  const auto up = parent(path, name);
  if (!up) return std::unexpected(up.error());
  const std::string temporary = ".weir-" + random_hex(16);
  const Fd fd(
      ::openat(*up, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_errno("cannot create a file beside " + std::string(path), errno);
  auto written = write_all(fd.get(), content);
  if (written) written = own(fd.get(), owner);
  if (written && (::fchmod(fd.get(), mode) != 0 ||
                  ::renameat(*up, temporary.c_str(), *up, name.c_str()) != 0)) {
    written = fail_errno("cannot write " + std::string(path), errno);
  }
  if (!written) ::unlinkat(*up, temporary.c_str(), 0);
  return written;
}

Status ImageTree::link(std::string_view path, const std::string& target) {
  std::string name;
  const auto up = parent(path, name);
  if (!up) return std::unexpected(up.error());
  if (::symlinkat(target.c_str(), *up, name.c_str()) != 0) {
    return fail_errno("cannot link " + std::string(path), errno);
  }
  return {};
}

Status ImageTree::copy(const std::string& from, std::string_view to, Owner owner) {
  return copy_entry(from, std::string(to), owner, 0);
}

Status ImageTree::copy_entry(const std::string& from, const std::string& to, Owner owner,
                             int depth) {
  struct stat status {};
  if (::lstat(from.c_str(), &status) != 0) return {};
  if (S_ISLNK(status.st_mode)) {
    std::string target(PATH_MAX, '\0');
    const ssize_t length = ::readlink(from.c_str(), target.data(), target.size());
    if (length <= 0 || length == PATH_MAX) return {};
    target.resize(static_cast<std::size_t>(length));
    return link(to, target);
  }
  if (S_ISDIR(status.st_mode)) {
    const bool is_private = (status.st_mode & 0005) != 0005;
    return is_private || depth >= copied_depth_max ? Status{}
                                                   : copy_entries(from, to, owner, depth);
  }
  const bool is_private = (status.st_mode & 0004) == 0;
  if (!S_ISREG(status.st_mode) || is_private || status.st_size > copied_file_bytes_max) return {};
  const Fd fd(::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return {};
  const auto content = read_whole(fd.get(), copied_file_bytes_max);
  if (!content) return {};
  return file(to, *content, status.st_mode & 0755, owner);
}

Status ImageTree::copy_entries(const std::string& from, const std::string& to, Owner owner,
                               int depth) {
  if (auto made = directory(to, 0755, owner); !made) return made;
  const int fd = ::open(from.c_str(), open_directory);
  if (fd < 0) return {};
  for (const auto& name : entries_of(fd)) {
    if (name.ends_with(".gz")) continue;  // links to manual pages: most of /etc/alternatives
    auto copied = copy_entry(from + "/" + name, to + "/" + name, owner, depth + 1);
    if (!copied) return copied;
  }
  return {};
}

void remove_image_tree(const std::string& path) { remove_at(AT_FDCWD, path.c_str()); }

}  // namespace weir::compute
