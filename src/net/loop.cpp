#include "net/loop.hpp"

#include <pthread.h>
#include <csignal>

#include "base/log.hpp"
#include "net/loop_base.hpp"

namespace weir::net {

Result<std::unique_ptr<Loop>> Loop::create(const LoopOptions& options) {
  if (options.backend == Backend::epoll) return create_epoll_loop(options);
  auto uring = create_uring_loop(options);
  if (uring || options.backend == Backend::io_uring) return uring;
  log::debug("no io_uring ({}): using epoll", uring.error().message);
  return create_epoll_loop(options);
}

void block_broken_pipe_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace weir::net
