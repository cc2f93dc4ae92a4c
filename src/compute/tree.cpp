// Every step is relative to an open folder and refuses links. Depth is bounded by moving deep
// folders up: what lies below the limit is renamed into the top and removed from there.
#include "compute/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/fd.hpp"
#include "base/ids.hpp"

namespace weir::compute {
namespace {

constexpr int depth_max = 32;

struct Close {
  void operator()(DIR* stream) const { closedir(stream); }
};
using Directory = std::unique_ptr<DIR, Close>;

Directory open_directory(int parent, const char* name) {
  const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return nullptr;
  DIR* stream = fdopendir(fd);
  if (stream == nullptr) close(fd);
  return Directory(stream);
}

bool is_dot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

class Remover {
 public:
  explicit Remover(int top) : top_(top) {}

  // Empties a folder. Folders too deep are moved into the top folder, which the caller therefore
  // empties again until nothing has been moved.
  bool empty(int folder, int depth) {
    const Directory stream = open_directory(folder, ".");
    if (!stream) return false;
    bool ok = true;
    while (const dirent* entry = readdir(stream.get())) {
      if (!is_dot(entry->d_name)) ok = remove(dirfd(stream.get()), entry->d_name, depth) && ok;
    }
    return ok;
  }

  [[nodiscard]] bool take_has_moved() { return std::exchange(has_moved_, false); }
  [[nodiscard]] int error() const { return error_; }

 private:
  bool remove(int folder, const char* name, int depth) {
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return true;
    if (errno != EISDIR && errno != EPERM) return failed();
    if (unlinkat(folder, name, AT_REMOVEDIR) == 0) return true;
    if (depth >= depth_max) return move_up(folder, name);
    const Fd inner(openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inner) return failed();
    if (!empty(inner.get(), depth + 1)) return false;
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 || failed();
  }

  bool move_up(int folder, const char* name) {
    const std::string target = "deep-" + random_hex(16);
    if (renameat(folder, name, top_, target.c_str()) != 0) return failed();
    has_moved_ = true;
    return true;
  }

  bool failed() {
    error_ = errno;
    return false;
  }

  int top_;
  bool has_moved_ = false;
  int error_ = 0;
};

}  // namespace

Status remove_tree(const std::string& parent, const std::string& name) {
  const std::string path = parent + "/" + name;
  const Fd outer(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!outer) {
    return errno == ENOENT ? Status{} : Status(fail_errno("cannot open " + parent, errno));
  }
  const Fd top(openat(outer.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!top) return errno == ENOENT ? Status{} : Status(fail_errno("cannot open " + path, errno));
  Remover remover(top.get());
  bool ok = false;
  do {
    ok = remover.empty(top.get(), 0);
  } while (ok && remover.take_has_moved());
  if (!ok) return fail_errno("cannot remove everything in " + path, remover.error());
  if (unlinkat(outer.get(), name.c_str(), AT_REMOVEDIR) != 0) {
    return fail_errno("cannot remove " + path, errno);
  }
  return {};
}

}  // namespace weir::compute
