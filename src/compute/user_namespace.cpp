#include "compute/user_namespace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "base/fd.hpp"
#include "compute/process.hpp"

namespace weir::compute {
namespace {

struct IdRange {
  unsigned long first = 0;
  unsigned long count = 0;
};

// The user's first range in /etc/subuid or /etc/subgid; lines are "name-or-uid:first:count".
std::optional<IdRange> find_range(const char* file, const std::string& user, uid_t uid) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string owner;
    IdRange range;
    char colon = 0;
    if (!std::getline(fields, owner, ':') || (owner != user && owner != std::to_string(uid))) {
      continue;
    }
    if (fields >> range.first >> colon >> range.count && range.count > 0) return range;
  }
  return std::nullopt;
}

std::string user_name(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::to_string(uid) : entry.pw_name;
}

// What newuidmap and newgidmap are to be told; empty where only the own id can be mapped.
struct MapPlan {
  std::string uid_program;
  std::string gid_program;
  IdRange uids;
  IdRange gids;
  std::string missing;  // why there is no range
};

MapPlan plan_map(uid_t uid) {
  MapPlan plan;
  const std::string user = user_name(uid);
  const auto uid_program = find_program("newuidmap");
  const auto gid_program = find_program("newgidmap");
  if (!uid_program || !gid_program) {
    plan.missing = "newuidmap is not installed: apt install uidmap";
    return plan;
  }
  const auto uids = find_range("/etc/subuid", user, uid);
  const auto gids = find_range("/etc/subgid", user, uid);
  if (!uids || !gids) {
    plan.missing = fmt::format(
        "{} has no range in /etc/subuid and /etc/subgid: as root, usermod --add-subuids "
        "100000-165535 --add-subgids 100000-165535 {}",
        user, user);
    return plan;
  }
  plan.uid_program = *uid_program;
  plan.gid_program = *gid_program;
  plan.uids = *uids;
  plan.gids = *gids;
  return plan;
}

// Ids 0 (the user) and 1…65535 (the range).
bool run_map_program(const std::string& program, pid_t target, unsigned own, IdRange range) {
  const unsigned long count = std::min(range.count, 65'535UL);
  const auto pid = start_process({program,
                                  {program, std::to_string(target), "0", std::to_string(own), "1",
                                   "1", std::to_string(range.first), std::to_string(count)},
                                  {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
                                  {-1, -1, STDERR_FILENO}});
  int status = -1;
  return pid && waitpid(*pid, &status, 0) == *pid && exit_status_of(status) == 0;
}

// The child outside: waits for the go-ahead, maps, and tells by its exit status.
[[noreturn]] void map_from_outside(const MapPlan& plan, int go_ahead, pid_t target, uid_t uid,
                                   gid_t gid) {
  char byte = 0;
  if (read(go_ahead, &byte, 1) != 1) _exit(1);
  const bool ok = run_map_program(plan.uid_program, target, uid, plan.uids) &&
                  run_map_program(plan.gid_program, target, gid, plan.gids);
  _exit(ok ? 0 : 2);
}

Status write_own(const char* file, const std::string& text) {
  const Fd fd(open(file, O_WRONLY | O_CLOEXEC));
  if (!fd || write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail_errno(std::string("cannot write ") + file, errno);
  }
  return {};
}

Status map_own_ids(uid_t uid, gid_t gid) {
  // The kernel demands it before an unprivileged gid map: else a group could be dropped that
  // denies something.
  if (Status status = write_own("/proc/self/setgroups", "deny"); !status) return status;
  if (Status status = write_own("/proc/self/uid_map", fmt::format("0 {} 1", uid)); !status) {
    return status;
  }
  return write_own("/proc/self/gid_map", fmt::format("0 {} 1", gid));
}

std::optional<long> kernel_setting(const char* name) {
  std::string path = std::string("/proc/sys/") + name;
  for (char& c : path) {
    if (c == '.') c = '/';
  }
  std::ifstream file(path);
  long value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

// Which of the settings that distributions use against user namespaces is in force here.
std::unexpected<Error> no_namespaces(const std::string& what, int error) {
  std::string hint = "run weir as root, or allow user namespaces on this machine";
  if (kernel_setting("user.max_user_namespaces").value_or(1) == 0) {
    hint = "as root: sysctl -w user.max_user_namespaces=15000";
  } else if (kernel_setting("kernel.unprivileged_userns_clone").value_or(1) == 0) {
    hint = "as root: sysctl -w kernel.unprivileged_userns_clone=1";
  } else if (kernel_setting("kernel.apparmor_restrict_unprivileged_userns").value_or(0) == 1) {
    hint =
        "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give weir an "
        "AppArmor profile that allows userns";
  } else if (error == ENOSPC) {
    hint = "a limit of namespaces is reached: see the sysctls user.max_*_namespaces";
  }
  return fail("NoNamespaces",
              "this user may not " + what + ": " + std::generic_category().message(error), hint);
}

Status make_mounts_private() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return fail_errno("cannot make the holder's mounts private", errno);
  }
  return {};
}

// Where the map programs fail (no setuid bit, a range that another map forbids), the own ids do.
Result<UserNamespace> unshare_and_map(const MapPlan& plan) {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot make a pipe", errno);
  const Fd go_ahead_read(pipe_ends[0]);
  const Fd go_ahead_write(pipe_ends[1]);
  pid_t mapper = -1;
  if (plan.missing.empty()) {
    const pid_t self = getpid();
    mapper = fork();
    if (mapper < 0) return fail_errno("cannot fork", errno);
    if (mapper == 0) {
      close(pipe_ends[1]);
      map_from_outside(plan, pipe_ends[0], self, uid, gid);
    }
  }
  const int unshared = unshare(CLONE_NEWUSER);
  const int unshare_error = errno;
  bool is_mapped = false;
  if (mapper > 0) {
    if (unshared == 0 && write(go_ahead_write.get(), "g", 1) != 1) kill(mapper, SIGKILL);
    if (unshared != 0) kill(mapper, SIGKILL);
    int status = -1;
    is_mapped = waitpid(mapper, &status, 0) == mapper && exit_status_of(status) == 0;
  }
  if (unshared != 0) return no_namespaces("make a user namespace", unshare_error);
  if (is_mapped) return UserNamespace{true, {}};
  if (plan.missing.empty()) {
    return fail("NoUidmap", "newuidmap or newgidmap refused this user's range of ids",
                "check that they are installed with their privilege (apt install --reinstall "
                "uidmap) and that the ranges in /etc/subuid and /etc/subgid belong to this user");
  }
  if (Status status = map_own_ids(uid, gid); !status) {
    return no_namespaces("map its own id in a user namespace", EPERM);
  }
  return UserNamespace{false, plan.missing};
}

}  // namespace

Status enter_mount_namespace() {
  if (unshare(CLONE_NEWNS) != 0) {
    return fail("NoNamespaces",
                "cannot make a mount namespace: " + std::generic_category().message(errno),
                "weir needs CAP_SYS_ADMIN when it runs as root; as an ordinary user it needs user "
                "namespaces");
  }
  return make_mounts_private();
}

Result<UserNamespace> enter_user_namespace() {
  auto result = unshare_and_map(plan_map(geteuid()));
  if (!result) return result;
  if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) {
    return no_namespaces("become root of its user namespace", errno);
  }
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) {
    return no_namespaces("make network and mount namespaces", errno);
  }
  if (Status status = make_mounts_private(); !status) return std::unexpected(status.error());
  return result;
}

}  // namespace weir::compute
