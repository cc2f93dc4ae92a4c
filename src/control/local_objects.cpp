#include "control/local_objects.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.hpp"

namespace weir::control {
namespace {

constexpr std::size_t key_bytes_max = 1024;  // as S3's

// S3's own rule: 3 to 63 of a-z, 0-9, dot and hyphen.
bool is_bucket_name(const std::string& name) {
  return name.size() >= 3 && name.size() <= 63 && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
         });
}

// Below `folder` alone: neither `..` nor a link leads out of it.
Fd open_beneath(int folder, const std::string& path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return Fd{static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how))};
}

std::unexpected<Error> no_such_key(const std::string& bucket, const std::string& key) {
  return fail("NoSuchKey", fmt::format("The bucket '{}' has no object '{}'", bucket, key));
}

}  // namespace

std::string LocalObjects::path(const std::string& bucket, const std::string& key) const {
  return fmt::format("{}/{}/{}", root_, bucket, key);
}

Result<std::string> LocalObjects::read(const std::string& bucket, const std::string& key,
                                       std::size_t bytes_max) const {
  const Fd root{::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  const Fd folder = root && is_bucket_name(bucket)
                        ? open_beneath(root.get(), bucket, O_RDONLY | O_DIRECTORY)
                        : Fd{};
  if (!folder) {
    return fail("NoSuchBucket", fmt::format("There is no bucket '{}'", bucket),
                fmt::format("A bucket is a folder of {}.", root_));
  }
  if (key.empty() || key.size() > key_bytes_max || key.find('\0') != std::string::npos) {
    return no_such_key(bucket, key.substr(0, key_bytes_max));
  }
  const Fd file = open_beneath(folder.get(), key, O_RDONLY);
  struct stat about {};
  if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
    return no_such_key(bucket, key);
  }
  std::string content;
  char block[16'384];
  for (ssize_t got = 0; (got = ::read(file.get(), block, sizeof block)) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(fmt::format("cannot read {}", path(bucket, key)), errno);
    content.append(block, static_cast<std::size_t>(got));
    if (content.size() > bytes_max) {
      return fail("EntityTooLarge",
                  fmt::format("The object '{}' is larger than {} bytes", key, bytes_max));
    }
  }
  return content;
}

}  // namespace weir::control
