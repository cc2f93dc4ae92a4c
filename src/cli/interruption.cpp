#include "cli/interruption.hpp"

#include <signal.h>
#include <unistd.h>

namespace weir::cli {
namespace {

// Ready beforehand: a signal handler may only write it.
std::string last_words;

void end_with_last_words(int signal) {
  const auto written = ::write(STDERR_FILENO, last_words.data(), last_words.size());
  ::_exit(written < 0 ? 1 : 128 + signal);
}

void on_end_signals(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

}  // namespace

Interruption::Interruption(const std::string& words) {
  // Ends the line of the progress that may stand there, or of the terminal's ^C.
  last_words = (::isatty(STDERR_FILENO) == 1 ? "\n" : "") + words + "\n";
  on_end_signals(end_with_last_words);
}

Interruption::~Interruption() { on_end_signals(SIG_DFL); }

}  // namespace weir::cli
