// capset(2) and PR_SET_NO_NEW_PRIVS act on the calling thread only, and a library's threads may be
// there before us: each thread is told by a signal, and does it itself in the handler, which uses
// nothing but raw system calls.
#include "daemon/privileges.hpp"

#include <dirent.h>
#include <fmt/core.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/clock.hpp"

namespace weir::daemon {
namespace {

constexpr std::int64_t threads_timeout_ms = 2'000;
constexpr std::uint32_t kept_capabilities = 1U << CAP_NET_BIND_SERVICE;

std::atomic<int> threads_done{0};
std::atomic<int> threads_failed{0};

bool drop_in_this_thread() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  data[0].effective = kept_capabilities;
  data[0].permitted = kept_capabilities;
  if (::syscall(SYS_capset, &header, data.data()) != 0) return false;
  return ::syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) == 0;
}

void on_drop_signal(int) {
  const int saved = errno;
  if (!drop_in_this_thread()) threads_failed.fetch_add(1);
  threads_done.fetch_add(1);
  errno = saved;
}

std::vector<pid_t> other_threads() {
  std::vector<pid_t> threads;
  DIR* folder = ::opendir("/proc/self/task");
  if (folder == nullptr) return threads;
  const auto self = static_cast<pid_t>(::syscall(SYS_gettid));
  while (const dirent* entry = ::readdir(folder)) {
    const int id = std::atoi(entry->d_name);
    if (id > 0 && id != self) threads.push_back(id);
  }
  ::closedir(folder);
  return threads;
}

// A thread that ends meanwhile makes tgkill fail, and is not waited for.
Status drop_in_other_threads() {
  const int signal = SIGRTMIN + 5;
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = on_drop_signal;
  action.sa_flags = SA_RESTART;
  if (::sigaction(signal, &action, &before) != 0) return fail_errno("sigaction", errno);
  int expected = 0;
  for (const pid_t thread : other_threads()) {
    if (::syscall(SYS_tgkill, ::getpid(), thread, signal) == 0) ++expected;
  }
  const auto deadline = monotonic_ms() + threads_timeout_ms;
  while (threads_done.load() < expected && monotonic_ms() < deadline) ::sched_yield();
  ::sigaction(signal, &before, nullptr);
  if (threads_done.load() < expected || threads_failed.load() > 0) {
    return fail("Privileges", "not every thread gave up its privileges");
  }
  return {};
}

}  // namespace

Result<std::string> drop_privileges() {
  if (::geteuid() != 0) return std::string{"those of an ordinary user"};
  if (!drop_in_this_thread()) return fail_errno("cannot drop capabilities", errno);
  if (auto dropped = drop_in_other_threads(); !dropped) return std::unexpected(dropped.error());
  return std::string{"CAP_NET_BIND_SERVICE"};
}

std::uint64_t raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace weir::daemon
