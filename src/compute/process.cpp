#include "compute/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "base/clock.hpp"

namespace weir::compute {
namespace {

constexpr std::size_t unclaimed_max = 256;
// Above every number that a child's descriptors take: dup2 then never overwrites a source.
constexpr int source_fd_min = 16;

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

void set_signals(posix_spawnattr_t& attributes, bool new_session) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (new_session) flags |= POSIX_SPAWN_SETSID;
  posix_spawnattr_setflags(&attributes, static_cast<short>(flags));
}

}  // namespace

Result<pid_t> start_process(const Command& command) {
  SpawnSettings settings;
  set_signals(settings.attributes, command.new_session);
  std::vector<Fd> sources;
  for (std::size_t i = 0; i < command.fds.size(); ++i) {
    const int target = static_cast<int>(i);
    if (command.fds[i] < 0) {
      posix_spawn_file_actions_addopen(&settings.actions, target, "/dev/null", O_RDWR, 0);
      continue;
    }
    sources.emplace_back(fcntl(command.fds[i], F_DUPFD_CLOEXEC, source_fd_min));
    if (!sources.back()) return fail_errno("cannot duplicate a descriptor", errno);
    posix_spawn_file_actions_adddup2(&settings.actions, sources.back().get(), target);
  }
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, static_cast<int>(command.fds.size()));
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, command.program.c_str(), &settings.actions, &settings.attributes,
                  pointers(command.argv).data(), pointers(command.environment).data());
  if (error != 0) return fail_errno("cannot start " + command.program, error);
  return pid;
}

int exit_status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

Result<int> Children::run(const Command& command) {
  std::mutex done_mutex;
  std::condition_variable done;
  std::optional<int> exit_status;
  const auto pid = start(command, [&](int status) {
    const std::scoped_lock done_lock(done_mutex);
    exit_status = status;
    done.notify_one();
  });
  if (!pid) return std::unexpected(pid.error());
  std::unique_lock lock(done_mutex);
  done.wait(lock, [&] { return exit_status.has_value(); });
  return *exit_status;
}

Result<pid_t> Children::start(const Command& command, std::function<void(int)> ended) {
  // Held over the start, so that reap() cannot meet the process before it is known.
  const std::scoped_lock lock(mutex_);
  const auto pid = start_process(command);
  if (pid) watched_[*pid] = std::move(ended);
  return pid;
}

void Children::watch(pid_t pid, std::function<void(int)> ended) {
  std::optional<int> exit_status;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(unclaimed_, pid, &std::pair<pid_t, int>::first);
    if (found != unclaimed_.end()) {
      // It is ours unless the number lives again.
      if (const Fd alive(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); !alive) {
        exit_status = found->second;
      }
      unclaimed_.erase(found);
    }
    if (!exit_status) {
      watched_[pid] = std::move(ended);
      return;
    }
  }
  ended(*exit_status);
}

void Children::reap() {
  while (true) {
    std::function<void(int)> ended;
    int exit_status = 0;
    {
      const std::scoped_lock lock(mutex_);
      int wait_status = 0;
      const pid_t pid = waitpid(-1, &wait_status, WNOHANG);
      if (pid <= 0) return;
      exit_status = exit_status_of(wait_status);
      if (const auto found = watched_.find(pid); found != watched_.end()) {
        ended = std::move(found->second);
        watched_.erase(found);
      } else {
        unclaimed_.emplace_back(pid, exit_status);
        if (unclaimed_.size() > unclaimed_max) unclaimed_.pop_front();
      }
    }
    if (ended) ended(exit_status);
  }
}

Result<ProcessIdentity> identify(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno("cannot look at process " + std::to_string(pid), errno);
  std::array<char, 1024> buffer{};
  const ssize_t size = read(file.get(), buffer.data(), buffer.size() - 1);
  if (size <= 0) return fail_errno("cannot look at process " + std::to_string(pid), errno);
  // The name in field 2 may hold blanks and brackets: count from the last closing bracket.
  const std::string text(buffer.data(), static_cast<std::size_t>(size));
  std::istringstream fields(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  ProcessIdentity identity{pid, 0};
  const auto [end, error] =
      std::from_chars(field.data(), field.data() + field.size(), identity.start_time);
  if (error != std::errc{}) return fail("SystemError", "/proc/PID/stat has an unknown form");
  return identity;
}

std::optional<Fd> open_process(const ProcessIdentity& identity) {
  if (identity.pid <= 0) return std::nullopt;
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, identity.pid, 0)));
  if (!pidfd) return std::nullopt;
  // After the open: from here on the number cannot change its meaning unnoticed.
  const auto now = identify(identity.pid);
  if (!now || now->start_time != identity.start_time) return std::nullopt;
  return pidfd;
}

void signal_process(int pidfd, int signal) {
  syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}

bool wait_for_end(int pidfd, int timeout_ms) {
  const std::int64_t deadline = monotonic_ms() + timeout_ms;
  pollfd poll_one{pidfd, POLLIN, 0};
  while (true) {
    const std::int64_t left = std::max<std::int64_t>(0, deadline - monotonic_ms());
    const int ready = poll(&poll_one, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

std::optional<std::string> find_program(const std::string& name) {
  const auto is_program = [](const std::string& path) { return access(path.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos) {
    return is_program(name) ? std::optional(name) : std::nullopt;
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) +
                             ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (folder.empty()) continue;
    if (const std::string candidate = folder + "/" + name; is_program(candidate)) return candidate;
  }
  return std::nullopt;
}

}  // namespace weir::compute
