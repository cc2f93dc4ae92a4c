// `weir exec`: a command inside an instance, with this process's standard streams.
//
// The streams themselves go to the instance; this process only waits. What it is sent meanwhile is
// meant for the command: its signal handler writes the signal's number into the socket that guides
// the command (compute/exec_control.hpp), whose end, when this process has gone, ends the command.
#include <signal.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/fd.hpp"
#include "cli/client.hpp"
#include "cli/commands.hpp"

namespace weir::cli {
namespace {

volatile sig_atomic_t control_fd = -1;
volatile sig_atomic_t has_interrupted = 0;

// Who interrupts twice means it.
void pass_on(int signal) {
  const int saved = errno;
  auto byte = static_cast<char>(signal);
  if (signal == SIGINT) {
    if (has_interrupted != 0) byte = SIGKILL;
    has_interrupted = 1;
  }
  ::send(control_fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  errno = saved;
}

void pass_signals_on_to(int control) {
  control_fd = control;
  struct sigaction action {};
  action.sa_handler = pass_on;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT, SIGWINCH}) {
    ::sigaction(signal, &action, nullptr);
  }
}

// The runtime makes the terminal raw, and may be killed before it makes it as it was.
class TerminalAsItWas {
 public:
  explicit TerminalAsItWas(bool is_terminal)
      : is_known_(is_terminal && ::tcgetattr(STDIN_FILENO, &settings_) == 0) {}
  ~TerminalAsItWas() {
    if (is_known_) ::tcsetattr(STDIN_FILENO, TCSANOW, &settings_);
  }
  TerminalAsItWas(const TerminalAsItWas&) = delete;
  TerminalAsItWas& operator=(const TerminalAsItWas&) = delete;

 private:
  termios settings_{};
  bool is_known_;
};

}  // namespace

int exec(const Common& common, const std::string& id, const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return report_error(common, fail_errno("cannot make a pair of sockets", errno).error());
  }
  const Fd control{ends[0]};
  const Fd far_end{ends[1]};
  const bool is_terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  const TerminalAsItWas terminal(is_terminal);
  pass_signals_on_to(control.get());
  const std::array<int, 4> fds{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, far_end.get()};
  const auto result = call_daemon(
      common.state_dir,
      Json{{"command", "exec"}, {"id", id}, {"argv", argv}, {"terminal", is_terminal}}, {}, fds);
  if (!result) return report_error(common, result.error());
  return static_cast<int>(result->value("exit_status", 1L));
}

}  // namespace weir::cli
