// weir-init: process 1 of an instance.
//
//   /run/weir/init --id ID [--user-data FILE] [--status-fd N] [--stop-grace-ms MS]
//
// It does what cloud-init and an init do for an EC2 instance that boots, and no more: the scripts
// of /var/lib/cloud/scripts/per-boot at every boot, the user data at the first one, sshd where
// there is a key to log in with, zombies reaped, an orderly end at SIGTERM. One loop waits for
// signals and for output: everything that is started here writes into one pipe, which is copied to
// /var/log/cloud-init-output.log and to the console, each bounded. Scripts run one after another;
// what they leave in the background lives on.
//
// Static, without exceptions and without the C++ library, so that it runs in any image.
// What it tells the daemon: protocol.hpp.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/limits.hpp"

namespace {

constexpr off_t log_bytes_max = 16 * 1024 * 1024;
constexpr int per_boot_scripts_max = 64;
constexpr int status_not_executable = 126;
constexpr int status_not_found = 127;

constexpr const char* cloud_directory = "/var/lib/cloud";
constexpr const char* per_boot_directory = "/var/lib/cloud/scripts/per-boot";
constexpr const char* output_log = "/var/log/cloud-init-output.log";

struct Arguments {
  const char* id = nullptr;
  const char* user_data = nullptr;
  int status_fd = -1;
  long stop_grace_ms = 5000;
};

int64_t wall_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

void write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // a full disk must not stop the instance
    data += written;
    size -= static_cast<size_t>(written);
  }
}

// A place that takes output up to a limit.
class Sink {
 public:
  void open_on(int fd) {
    fd_ = fd;
    struct stat status {};
    room_ = log_bytes_max;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) room_ -= status.st_size;
  }
  void put(const char* data, size_t size) {
    if (fd_ < 0 || is_full_) return;
    if (room_ < static_cast<off_t>(size)) {
      static constexpr char note[] = "\nweir-init: the log is full (16 MiB); the rest is dropped\n";
      if (room_ > 0) write_all(fd_, data, static_cast<size_t>(room_));
      write_all(fd_, note, sizeof note - 1);
      is_full_ = true;
      return;
    }
    write_all(fd_, data, size);
    room_ -= static_cast<off_t>(size);
  }

 private:
  int fd_ = -1;
  off_t room_ = 0;
  bool is_full_ = false;
};

// The pipe that all scripts write into, and the two places its content goes to.
class Output {
 public:
  void start() {
    console_.open_on(STDOUT_FILENO);
    log_.open_on(open(output_log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (pipe2(ends_, O_CLOEXEC) != 0) {
      ends_[0] = -1;
      ends_[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
      return;
    }
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  // Copies what is there now.
  void drain() {
    static char block[65536];
    ssize_t got = 0;
    while (ends_[0] >= 0 && (got = read(ends_[0], block, sizeof block)) > 0) {
      put(block, static_cast<size_t>(got));
      if (got < static_cast<ssize_t>(sizeof block)) return;
    }
  }
  __attribute__((format(printf, 2, 3))) void say(const char* format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length < 0) return;
    size_t size = static_cast<size_t>(length);
    if (size > sizeof line - 2) size = sizeof line - 2;
    line[size] = '\n';
    put(line, size + 1);
  }
  [[nodiscard]] int read_end() const { return ends_[0]; }
  [[nodiscard]] int write_end() const { return ends_[1]; }

 private:
  void put(const char* data, size_t size) {
    log_.put(data, size);
    console_.put(data, size);
  }

  int ends_[2] = {-1, -1};
  Sink log_;
  Sink console_;
};

Arguments arguments;
Output output;
sigset_t no_signals;

__attribute__((format(printf, 1, 2))) void tell_daemon(const char* format, ...) {
  if (arguments.status_fd < 0) return;
  char line[128];
  va_list values;
  va_start(values, format);
  const int length = vsnprintf(line, sizeof line, format, values);
  va_end(values);
  if (length > 0) write_all(arguments.status_fd, line, static_cast<size_t>(length));
}

// ---- files

void make_directories(const char* path) {
  char part[256];
  snprintf(part, sizeof part, "%s", path);
  for (char* slash = strchr(part + 1, '/'); slash != nullptr; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    mkdir(part, 0755);
    *slash = '/';
  }
  mkdir(part, 0755);
}

bool write_file(const char* path, const char* content, size_t size, mode_t mode) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0) return false;
  write_all(fd, content, size);
  fchmod(fd, mode);
  return close(fd) == 0;
}

// Returns the bytes read into `buffer`, at most `size`; -1 where there is no such file.
ssize_t read_file(const char* path, char* buffer, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t filled = 0;
  while (filled < size) {
    const ssize_t got = read(fd, buffer + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<size_t>(got);
  }
  close(fd);
  return static_cast<ssize_t>(filled);
}

struct InstancePath {
  char text[256];
  explicit InstancePath(const char* name) {
    snprintf(text, sizeof text, "%s/instances/%s/%s", cloud_directory, arguments.id, name);
  }
};

// ---- processes

struct Program {
  const char* argv[6];
};

// Starts a program with its output in the pipe, or nowhere. Returns its process id.
pid_t start(const Program& program, bool is_logged) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  sigprocmask(SIG_SETMASK, &no_signals, nullptr);
  setsid();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(is_logged ? output.write_end() : null, STDOUT_FILENO);
  dup2(is_logged ? output.write_end() : null, STDERR_FILENO);
  if (chdir("/") != 0) _exit(status_not_executable);
  execv(program.argv[0], const_cast<char* const*>(program.argv));
  const int error = errno;
  dprintf(STDERR_FILENO, "weir-init: cannot run %s: %s%s\n", program.argv[0], strerror(error),
          error == ENOENT ? " (is the interpreter after #! there?)" : "");
  _exit(error == ENOENT ? status_not_found : status_not_executable);
}

int exit_status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

// ---- the scripts of one boot, one after another

// The user data's fate, kept in the instance so that a later boot can tell it again.
struct Fate {
  int64_t started_ms = 0;
  int64_t finished_ms = 0;
  int exit_status = 0;
};

bool read_fate(Fate& fate) {
  char text[128];
  const ssize_t size = read_file(InstancePath("user-data-status").text, text, sizeof text - 1);
  if (size < 0) return false;
  text[size] = '\0';
  long long started = 0;
  long long finished = 0;
  const int fields = sscanf(text, "%lld %lld %d", &started, &finished, &fate.exit_status);
  fate.started_ms = started;
  // No second time: the instance was killed while the script ran.
  fate.finished_ms = fields == 3 ? finished : started;
  if (fields != 3) fate.exit_status = 128 + SIGKILL;
  return true;
}

class Boot {
 public:
  void begin() {
    find_per_boot_scripts();
    next();
  }
  // A child ended: perhaps the one that the next step waits for.
  void child_ended(pid_t pid, int wait_status) {
    if (pid != current_) return;
    current_ = 0;
    output.drain();
    const int status = exit_status_of(wait_status);
    if (is_stopping_ && step_ <= script_count_) return;
    if (step_ <= script_count_) {
      if (status != 0)
        output.say("weir-init: %s failed with status %d", scripts_[step_ - 1], status);
      next();
    } else {
      user_data_ended(status);
    }
  }
  // Nothing is begun any more.
  void stop() { is_stopping_ = true; }

 private:
  void find_per_boot_scripts() {
    DIR* directory = opendir(per_boot_directory);
    if (directory == nullptr) return;
    const dirent* entry = nullptr;
    while (script_count_ < per_boot_scripts_max && (entry = readdir(directory)) != nullptr) {
      char* path = nullptr;
      if (asprintf(&path, "%s/%s", per_boot_directory, entry->d_name) < 0) break;
      struct stat status {};
      if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0) {
        scripts_[script_count_++] = path;
      } else {
        free(path);
      }
    }
    closedir(directory);
    qsort(scripts_, static_cast<size_t>(script_count_), sizeof scripts_[0],
          [](const void* left, const void* right) {
            return strcmp(*static_cast<char* const*>(left), *static_cast<char* const*>(right));
          });
  }

  void next() {
    while (step_ < script_count_) {
      current_ = start({{scripts_[step_++], nullptr}}, true);
      if (current_ > 0) return;
    }
    ++step_;
    user_data();
    start_sshd();
  }

  void user_data() {
    Fate fate;
    if (read_fate(fate)) {  // not the first boot
      tell_daemon("user-data started %lld\n", static_cast<long long>(fate.started_ms));
      tell_daemon("user-data finished %lld %d\n", static_cast<long long>(fate.finished_ms),
                  fate.exit_status);
      return;
    }
    if (arguments.user_data == nullptr) return;
    char* text = static_cast<char*>(malloc(weir::model::limits::user_data_bytes_max));
    const ssize_t size =
        read_file(arguments.user_data, text, weir::model::limits::user_data_bytes_max);
    if (size > 0) run_user_data(text, static_cast<size_t>(size));
    free(text);
  }

  void run_user_data(const char* text, size_t size) {
    const InstancePath script("scripts/part-001");
    make_directories(InstancePath("scripts").text);
    write_file(InstancePath("user-data.txt").text, text, size, 0600);
    started_ms_ = wall_ms();
    keep("%lld\n", static_cast<long long>(started_ms_));
    tell_daemon("user-data started %lld\n", static_cast<long long>(started_ms_));
    if (size < 2 || text[0] != '#' || text[1] != '!') {
      output.say(
          "weir-init: the user data is not run: only scripts are supported, and a script "
          "begins with #!%s",
          strncmp(text, "#cloud-config", 13) == 0 ? "; this is #cloud-config" : "");
      user_data_ended(status_not_executable);
      return;
    }
    output.say("weir-init: running the user data (%zu bytes)", size);
    if (!write_file(script.text, text, size, 0700)) {
      output.say("weir-init: cannot write %s: %s", script.text, strerror(errno));
      user_data_ended(status_not_executable);
      return;
    }
    current_ = start({{script.text, nullptr}}, true);
    if (current_ < 0) user_data_ended(status_not_executable);
  }

  void user_data_ended(int status) {
    const auto now = static_cast<long long>(wall_ms());
    output.say("weir-init: user data finished with status %d after %.2f s", status,
               static_cast<double>(now - started_ms_) / 1000);
    keep("%lld %lld %d\n", static_cast<long long>(started_ms_), now, status);
    tell_daemon("user-data finished %lld %d\n", now, status);
  }

  __attribute__((format(printf, 2, 3))) void keep(const char* format, ...) {
    char line[128];
    va_list values;
    va_start(values, format);
    const int length = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    write_file(InstancePath("user-data-status").text, line, static_cast<size_t>(length), 0600);
  }

  // Only where somebody can log in. Niced: the app comes first. The host key is there at once or
  // not at all, for `weir ssh` waits for it.
  static void start_sshd() {
    if (access("/usr/sbin/sshd", X_OK) != 0 || access("/root/.ssh/authorized_keys", R_OK) != 0) {
      return;
    }
    mkdir("/run/sshd", 0755);
    start({{"/bin/sh", "-c",
            "K=/etc/ssh/ssh_host_ed25519_key; test -f $K || "
            "{ nice ssh-keygen -q -t ed25519 -N '' -f $K.new && mv $K.new.pub $K.pub && "
            "mv $K.new $K; }; exec /usr/sbin/sshd -D",
            nullptr}},
          false);
  }

  char* scripts_[per_boot_scripts_max] = {};
  int script_count_ = 0;
  int step_ = 0;  // scripts begun; more than script_count_: the user data's turn
  pid_t current_ = 0;
  int64_t started_ms_ = 0;
  bool is_stopping_ = false;
};

// ---- process 1

void prepare_environment() {
  clearenv();
  setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  setenv("HOME", "/root", 1);
  setenv("LANG", "C.UTF-8", 1);
  umask(022);
}

void prepare_files() {
  static constexpr const char* links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                             {"/proc/self/fd/0", "/dev/stdin"},
                                             {"/proc/self/fd/1", "/dev/stdout"},
                                             {"/proc/self/fd/2", "/dev/stderr"},
                                             {"pts/ptmx", "/dev/ptmx"}};
  for (const auto& link : links) {
    if (symlink(link[0], link[1]) != 0) continue;  // most OCI runtimes have made them
  }
  make_directories("/var/log");
  make_directories(per_boot_directory);
  make_directories(InstancePath("").text);
  if (mkdir("/run/lock", 01777) == 0) chmod("/run/lock", 01777);
  char instance[256];
  snprintf(instance, sizeof instance, "instances/%s", arguments.id);
  unlink("/var/lib/cloud/instance");
  if (symlink(instance, "/var/lib/cloud/instance") != 0) {
    output.say("weir-init: cannot link /var/lib/cloud/instance: %s", strerror(errno));
  }
}

// Ends everything else: TERM, the grace, KILL.
[[noreturn]] void shut_down(Boot& boot) {
  output.say("weir-init: shutting down");
  boot.stop();
  kill(-1, SIGTERM);
  kill(-1, SIGCONT);
  const int64_t deadline = monotonic_ms() + arguments.stop_grace_ms;
  bool was_killed = false;
  for (;;) {
    int wait_status = 0;
    const pid_t pid = waitpid(-1, &wait_status, WNOHANG);
    if (pid > 0) boot.child_ended(pid, wait_status);
    if (pid < 0 && errno == ECHILD) break;
    if (pid != 0) continue;
    output.drain();
    const int64_t left = deadline - monotonic_ms();
    if (left <= 0 && was_killed) break;
    if (left <= 0) {
      kill(-1, SIGKILL);
      was_killed = true;
    }
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    // Woken by the next end, and now and then to keep the pipe from filling.
    const timespec slice{0, 50'000'000};
    sigtimedwait(&child, nullptr, &slice);
  }
  output.drain();
  _exit(0);
}

bool is_shutdown_signal(uint32_t number) {
  return number == SIGTERM || number == SIGPWR || number == SIGINT;
}

[[noreturn]] void serve(Boot& boot, int signals) {
  pollfd waited[2] = {{signals, POLLIN, 0}, {output.read_end(), POLLIN, 0}};
  for (;;) {
    if (poll(waited, 2, -1) < 0) continue;
    output.drain();
    signalfd_siginfo info{};
    while (read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (is_shutdown_signal(info.ssi_signo)) shut_down(boot);
    }
    int wait_status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &wait_status, WNOHANG)) > 0;) {
      boot.child_ended(pid, wait_status);
    }
  }
}

bool is_safe_id(const char* id) {
  return id != nullptr && *id != '\0' && strlen(id) <= 64 &&
         strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(id);
}

bool read_arguments(int count, char** values) {
  for (int at = 1; at + 1 < count; at += 2) {
    const char* name = values[at];
    const char* value = values[at + 1];
    if (strcmp(name, "--id") == 0)
      arguments.id = value;
    else if (strcmp(name, "--user-data") == 0)
      arguments.user_data = value;
    else if (strcmp(name, "--status-fd") == 0)
      arguments.status_fd = atoi(value);
    else if (strcmp(name, "--stop-grace-ms") == 0)
      arguments.stop_grace_ms = atol(value);
    else
      return false;
  }
  return count % 2 == 1 && is_safe_id(arguments.id);
}

}  // namespace

int main(int count, char** values) {
  if (!read_arguments(count, values)) {
    fprintf(stderr,
            "usage: init --id ID [--user-data FILE] [--status-fd N] [--stop-grace-ms MS]\n");
    return 2;
  }
  if (arguments.status_fd >= 0) fcntl(arguments.status_fd, F_SETFD, FD_CLOEXEC);
  sigemptyset(&no_signals);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  prepare_environment();
  make_directories("/var/log");
  output.start();
  prepare_files();
  tell_daemon("boot %lld\n", static_cast<long long>(wall_ms()));
  output.say("weir-init: instance %s boots", arguments.id);
  const int signals = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
  static Boot boot;
  boot.begin();
  serve(boot, signals);
}
