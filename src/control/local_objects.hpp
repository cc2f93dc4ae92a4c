// What AWS's calls read from S3, read from a folder: `<root>/<bucket>/<key>`.
//
// Bucket and key come from clients: a path that leaves the bucket, a symbolic link or what is no
// regular file is as if there were no object.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.hpp"

namespace weir::control {

class LocalObjects {
 public:
  explicit LocalObjects(std::string root) : root_(std::move(root)) {}

  // "NoSuchBucket", "NoSuchKey", "EntityTooLarge".
  [[nodiscard]] Result<std::string> read(const std::string& bucket, const std::string& key,
                                         std::size_t bytes_max) const;
  // Where that object lies, for messages and URLs.
  [[nodiscard]] std::string path(const std::string& bucket, const std::string& key) const;

 private:
  std::string root_;
};

}  // namespace weir::control
