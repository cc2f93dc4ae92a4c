// A directory tree written without ever following a symbolic link.
//
// All paths are relative to the tree's root, without "." and ".." components; every component is
// opened with O_NOFOLLOW, and files appear under their name by rename. So a tree that an instance
// has written to cannot make us write, or change modes, anywhere else.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::compute {

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

class ImageTree {
 public:
  // `root` exists; a symbolic link in its last component is refused.
  [[nodiscard]] static Result<ImageTree> open(const std::string& root);

  // Makes a directory, its parents included; one that exists is left as it is.
  Status directory(std::string_view path, mode_t mode = 0755, Owner owner = {});
  // Writes a file, replacing whatever had the name but a directory. The parent exists.
  Status file(std::string_view path, std::string_view content, mode_t mode = 0644,
              Owner owner = {});
  // Makes a symbolic link; nothing has the name yet.
  Status link(std::string_view path, const std::string& target);

  // Copies from this machine what anybody may read: files, links and directories. What is private,
  // or does not exist, is left out without an error.
  Status copy(const std::string& from, std::string_view to, Owner owner = {});

 private:
  // The directory of `path`, and the name in it.
  Result<int> parent(std::string_view path, std::string& name);
  Status copy_entries(const std::string& from, const std::string& to, Owner owner, int depth);
  Status copy_entry(const std::string& from, const std::string& to, Owner owner, int depth);

  Fd root_;
  std::string parent_path_;  // the last parent that was opened; most calls want it again
  Fd parent_;
};

// Runs steps until the first that fails.
class Steps {
 public:
  template <typename Step>
  Steps& then(Step&& step) {
    if (status_) status_ = step();
    return *this;
  }
  [[nodiscard]] Status status() const { return status_; }

 private:
  Status status_;
};

// Removes a tree, unreadable directories included; does not follow links. Best effort.
void remove_image_tree(const std::string& path);

}  // namespace weir::compute
