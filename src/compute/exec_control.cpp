#include "compute/exec_control.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace weir::compute {
namespace {

constexpr int hang_up_patience_ms = 2'000;
constexpr int begin_interval_ms = 10;
constexpr std::array<int, 6> allowed_signals = {SIGHUP,  SIGINT,  SIGQUIT,
                                                SIGTERM, SIGKILL, SIGWINCH};

class ControlledCommand {
 public:
  ControlledCommand(int control, const std::string& pid_path)
      : control_(control), pid_path_(pid_path) {}
  ~ControlledCommand() { unlink(pid_path_.c_str()); }
  ControlledCommand(const ControlledCommand&) = delete;
  ControlledCommand& operator=(const ControlledCommand&) = delete;

  Result<int> run(Children& children, const Command& command);

 private:
  [[nodiscard]] bool wait();
  void receive();
  void note(int signal);
  void deliver();
  [[nodiscard]] pid_t command_pid() const;

  int control_;  // -1 once it has ended
  std::string pid_path_;
  pid_t runtime_ = -1;
  std::vector<int> undelivered_;
  Fd ended_;
  std::atomic<int> exit_status_ = 0;
};

Result<int> ControlledCommand::run(Children& children, const Command& command) {
  ended_ = Fd(eventfd(0, EFD_CLOEXEC));
  if (!ended_) return fail_errno("cannot make an eventfd", errno);
  const auto runtime = children.start(command, [this](int status) {
    exit_status_ = status;
    eventfd_write(ended_.get(), 1);
  });
  if (!runtime) return std::unexpected(runtime.error());
  runtime_ = *runtime;
  while (!wait()) {
  }
  return exit_status_.load();
}

// True once the command has ended.
bool ControlledCommand::wait() {
  std::array<pollfd, 2> waiting{pollfd{ended_.get(), POLLIN, 0}, pollfd{control_, POLLIN, 0}};
  const bool is_early = !undelivered_.empty();
  const int patience_ms = is_early ? begin_interval_ms : control_ < 0 ? hang_up_patience_ms : -1;
  const int ready = poll(waiting.data(), waiting.size(), patience_ms);
  if (ready < 0) return false;  // EINTR
  if (waiting[0].revents != 0) return true;
  if (waiting[1].revents != 0) receive();
  if (ready == 0 && !is_early) note(SIGKILL);
  deliver();
  return false;
}

void ControlledCommand::receive() {
  std::array<char, 16> bytes{};
  const ssize_t got = recv(control_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    control_ = -1;
    return note(SIGHUP);
  }
  for (const char byte : std::string_view(bytes.data(), static_cast<std::size_t>(got))) {
    if (std::ranges::find(allowed_signals, int{byte}) != allowed_signals.end()) note(byte);
  }
}

void ControlledCommand::note(int signal) {
  if (std::ranges::find(undelivered_, signal) == undelivered_.end()) undelivered_.push_back(signal);
}

// The number of the command's process is known a moment after it has begun; what came earlier waits
// for that. It means nobody else: the runtime is alive and has not waited for it yet.
void ControlledCommand::deliver() {
  if (undelivered_.empty()) return;
  const pid_t command = command_pid();
  if (command <= 1) return;
  for (const int signal : undelivered_) {
    if (signal == SIGWINCH) {
      kill(runtime_, signal);
    } else if (kill(-command, signal) != 0) {
      kill(command, signal);
    }
  }
  undelivered_.clear();
}

pid_t ControlledCommand::command_pid() const {
  const Fd file(open(pid_path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::array<char, 16> text{};
  const ssize_t size = file ? read(file.get(), text.data(), text.size()) : -1;
  pid_t pid = -1;
  if (size > 0) std::from_chars(text.data(), text.data() + size, pid);
  return pid;
}

}  // namespace

Result<int> run_controlled(Children& children, const Command& command, int control,
                           const std::string& pid_path) {
  return ControlledCommand(control, pid_path).run(children, command);
}

}  // namespace weir::compute
