#include "telemetry/rotating_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "telemetry/files.hpp"

namespace weir::telemetry {

Status RotatingFile::open() {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
  file_ = Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file_) return fail_errno("cannot open " + path_, errno);
  struct stat facts {};
  bytes_ = ::fstat(file_.get(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
  return {};
}

void RotatingFile::rotate() {
  std::error_code ignored;  // a file that was never there
  for (int i = keep_ - 1; i >= 1; --i) {
    std::filesystem::rename(path_ + "." + std::to_string(i), path_ + "." + std::to_string(i + 1),
                            ignored);
  }
  std::filesystem::rename(path_, path_ + ".1", ignored);
  file_ = Fd();
}

Status RotatingFile::write(std::string_view lines) {
  if (file_ && bytes_ >= bytes_max_) rotate();
  if (!file_) {
    if (auto opened = open(); !opened) return opened;
    if (bytes_ >= bytes_max_) {
      rotate();
      if (auto opened = open(); !opened) return opened;
    }
  }
  return append_all(file_.get(), bytes_, lines, path_);
}

}  // namespace weir::telemetry
