#include "telemetry/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace weir::telemetry {

Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("cannot write " + path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status append_all(int fd, std::uint64_t& size, std::string_view lines, const std::string& path) {
  auto written = write_all(fd, lines, path);
  if (written) {
    size += lines.size();
  } else if (::ftruncate(fd, static_cast<off_t>(size)) != 0) {
    return fail_errno("cannot mend " + path, errno);
  }
  return written;
}

NewFile::~NewFile() {
  if (file_) ::unlink(temporary_.c_str());
}

Status NewFile::open() {
  std::error_code ignored;  // opening says it
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  file_ = Fd(::open(temporary_.c_str(), flags, 0600));
  if (!file_) return fail_errno("cannot open " + temporary_, errno);
  return {};
}

Status NewFile::commit() {
  if (::fsync(file_.get()) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0)
    return fail_errno("cannot write " + path_, errno);
  file_.reset();
  return {};
}

}  // namespace weir::telemetry
