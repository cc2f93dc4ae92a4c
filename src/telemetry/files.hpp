// Writing to files: all bytes or an error, and files that appear when they are whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::telemetry {

// `path` is for the error.
Status write_all(int fd, std::string_view bytes, const std::string& path);

// Whole lines to the end of a file of `size` bytes, which grows by them or, on an error, stays as
// it was: half a line would spoil the next one.
Status append_all(int fd, std::uint64_t& size, std::string_view lines, const std::string& path);

// Written under a temporary name beside its own; without commit() nothing of it stays.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : path_(path), temporary_(path + ".tmp") {}
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  Status open();  // makes the folders as well
  Status write(std::string_view bytes) { return write_all(file_.get(), bytes, temporary_); }
  Status commit();

 private:
  std::string path_;
  std::string temporary_;
  Fd file_;
};

}  // namespace weir::telemetry
