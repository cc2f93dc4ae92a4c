#include "cli/background.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include "cli/client.hpp"
#include "daemon/channel.hpp"
#include "daemon/ready_line.hpp"

extern char** environ;

namespace weir::cli {
namespace {

constexpr int ready_fd_in_daemon = 3;
constexpr int other_daemon_tries = 100;
constexpr std::chrono::milliseconds other_daemon_pause{50};

bool daemon_answers(const std::string& state_dir) {
  return daemon::connect_control(state_dir).has_value();
}

// Standard streams on /dev/null, the pipe as descriptor 3, nothing else inherited.
Status spawn(std::vector<std::string> arguments, int ready_fd) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, ready_fd, ready_fd_in_daemon);
  ::posix_spawn_file_actions_addclosefrom_np(&files, ready_fd_in_daemon + 1);
  ::posix_spawn_file_actions_addchdir_np(&files, "/");

  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, "/proc/self/exe", &files, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) return fail_errno("cannot start the daemon", error);
  return {};
}

// Somebody else starts one at this moment: it is soon there.
Result<StartedDaemon> wait_for_other_daemon(const std::string& state_dir, const Error& why) {
  for (int i = 0; i < other_daemon_tries; ++i) {
    if (daemon_answers(state_dir)) return StartedDaemon{};
    std::this_thread::sleep_for(other_daemon_pause);
  }
  return std::unexpected(why);
}

}  // namespace

std::vector<std::string> serve_arguments(const daemon::ServeOptions& options) {
  std::vector<std::string> arguments{"--state", options.state_dir};
  const auto add = [&](const char* flag, const std::string& value) {
    arguments.emplace_back(flag);
    arguments.push_back(value);
  };
  if (options.workers > 0) add("--workers", std::to_string(options.workers));
  if (options.event_loop) {
    add("--event-loop", *options.event_loop == net::Backend::io_uring ? "io_uring" : "epoll");
  }
  for (const auto& ip : options.bind_addresses) add("--bind", ip);
  if (!options.identity_ca_file.empty()) add("--identity-ca", options.identity_ca_file);
  if (options.runtime != daemon::ServeOptions{}.runtime) add("--runtime", options.runtime);
  if (options.rootless) arguments.emplace_back("--rootless");
  if (!options.vpc_cidr.empty()) add("--vpc-cidr", options.vpc_cidr);
  if (!options.admin.empty()) add("--admin", options.admin);
  if (!options.admin_token_file.empty()) add("--admin-token-file", options.admin_token_file);
  if (!options.api.empty()) add("--api", options.api);
  if (options.verify_signatures) arguments.emplace_back("--verify-signatures");
  if (options.limits != daemon::ServeOptions{}.limits) add("--limits", options.limits);
  return arguments;
}

Result<StartedDaemon> ensure_daemon(const daemon::ServeOptions& options) {
  if (daemon_answers(options.state_dir)) return StartedDaemon{};
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot make a pipe", errno);
  const Fd reader{ends[0]};
  Fd writer{ends[1]};
  std::vector<std::string> arguments{"weir", "serve", "--background", "--ready-fd",
                                     std::to_string(ready_fd_in_daemon)};
  for (auto& argument : serve_arguments(options)) arguments.push_back(std::move(argument));
  if (auto spawned = spawn(std::move(arguments), writer.get()); !spawned) {
    return std::unexpected(spawned.error());
  }
  writer.reset();
  auto timings = daemon::read_ready(reader.get());
  if (timings) return StartedDaemon{true, std::move(*timings)};
  if (timings.error().code == "DaemonRuns") {
    return wait_for_other_daemon(options.state_dir, timings.error());
  }
  if (timings.error().code == "DaemonEnded") {
    timings.error().hint = fmt::format("{}/weir.log may say why", options.state_dir);
  }
  return std::unexpected(timings.error());
}

Result<StartedDaemon> ensure_daemon_of_state(const std::string& state_dir) {
  if (::access((state_dir + "/weir.db").c_str(), F_OK) != 0) {
    auto channel = daemon::connect_control(state_dir);
    if (!channel) return std::unexpected(channel.error());
  }
  daemon::ServeOptions options;
  options.state_dir = state_dir;
  return ensure_daemon(options);
}

}  // namespace weir::cli
