#include "daemon/state_folder.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace weir::daemon {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

// The parents get the usual mode, the folder itself 0700: sockets and disks of instances lie in it.
Status make_folder(const std::string& path) {
  std::error_code error;
  const auto parent = std::filesystem::path(path).parent_path();
  std::filesystem::create_directories(parent, error);
  if (error) {
    return fail("StateFolder",
                fmt::format("cannot make the folder {}: {}", parent.string(), error.message()),
                "choose another with --state DIR");
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("cannot make the state folder {}", path), errno,
                      "choose another with --state DIR");
  }
  return {};
}

Status check_folder(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    return fail_errno(fmt::format("cannot read the state folder {}", path), errno);
  }
  if (!S_ISDIR(info.st_mode)) {
    return fail("StateFolder", fmt::format("the state folder {} is not a directory", path),
                "choose another with --state DIR");
  }
  if (info.st_uid != ::geteuid()) {
    return fail(
        "StateFolder",
        fmt::format("the state folder {} belongs to user {}, not to you", path, info.st_uid),
        "run weir as that user, or choose another folder with --state DIR");
  }
  if ((info.st_mode & 0077) != 0 && ::chmod(path.c_str(), 0700) != 0) {
    return fail_errno(fmt::format("cannot make the state folder {} private", path), errno);
  }
  return {};
}

}  // namespace

std::string default_state_dir() {
  if (auto set = environment("WEIR_STATE"); !set.empty()) return set;
  if (::geteuid() == 0) return "/var/lib/weir";
  if (auto base = environment("XDG_STATE_HOME"); !base.empty()) return base + "/weir";
  auto home = environment("HOME");
  return (home.empty() ? std::string{"/tmp"} : home) + "/.local/state/weir";
}

Result<std::string> absolute_state_dir(const std::string& path) {
  std::error_code error;
  auto absolute = std::filesystem::absolute(path, error).lexically_normal();
  if (error || path.empty()) {
    return fail("StateFolder", fmt::format("'{}' is not a usable path for the state folder", path),
                "give one with --state DIR");
  }
  auto text = absolute.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

Result<StateFolder> StateFolder::open(const std::string& absolute_path) {
  if (auto made = make_folder(absolute_path); !made) return std::unexpected(made.error());
  if (auto checked = check_folder(absolute_path); !checked) {
    return std::unexpected(checked.error());
  }
  const auto lock_path = absolute_path + "/lock";
  Fd lock{::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!lock) return fail_errno(fmt::format("cannot open {}", lock_path), errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail("DaemonRuns",
                fmt::format("a daemon runs already with the state folder {}", absolute_path),
                "`weir status` shows it, `weir stop` ends it; --state DIR makes one of its own");
  }
  return StateFolder{absolute_path, std::move(lock)};
}

}  // namespace weir::daemon
