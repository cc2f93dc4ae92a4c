// The loop itself: the ring, what it lends to the kernel, and its turns.
#ifdef WEIR_HAVE_URING
#include "net/uring_loop.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace weir::net {
namespace {

constexpr unsigned submission_entries = 1024;
constexpr unsigned completion_entries = 4096;

}  // namespace

// ---------------------------------------------------------------- listener
UringListener::UringListener(UringLoop& loop, Fd fd, AcceptEvents* events)
    : pause_([](void* self) { static_cast<UringListener*>(self)->arm(); }, this),
      loop_(loop),
      fd_(std::move(fd)),
      events_(events) {}

void UringListener::arm() {
  io_uring_sqe* sqe = loop_.entry();
  io_uring_prep_multishot_accept(sqe, fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  UringLoop::tag(sqe, this, Operation::accept);
  armed_ = true;
}

void UringListener::on_accepted(int result, std::uint32_t flags) {
  Fd socket(result);
  if ((flags & IORING_CQE_F_MORE) == 0) armed_ = false;
  if (!closed_) {
    if (socket) {
      events_->on_accepted(std::move(socket));
    } else if (result != -ECONNABORTED && result != -EINTR && result != -ECANCELED) {
      events_->on_accept_error(-result);
    }
  }
  if (armed_) return;
  if (closed_) return loop_.retire(this);
  if (result >= 0) return arm();
  loop_.schedule(pause_, accept_pause_ms);
}

void UringListener::close() {
  if (closed_) return;
  closed_ = true;
  loop_.cancel(pause_);
  if (armed_) loop_.cancel_operation(this, Operation::accept);
  loop_.close_descriptor(std::move(fd_));
  if (!armed_) loop_.retire(this);
}

// ---------------------------------------------------------------- loop
Status UringLoop::open(const LoopOptions& options) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
                 IORING_SETUP_CQSIZE;
  params.cq_entries = completion_entries;
  if (const int error = io_uring_queue_init_params(submission_entries, &ring_, &params); error < 0)
    return fail("NoIoUring", std::string("io_uring cannot be used here: ") + std::strerror(-error),
                "containers often forbid it; run with --event-loop epoll");
  ring_open_ = true;
  ring_blocks_ = options.receive_ring_blocks;
  const std::size_t bytes = ring_blocks_ * sizeof(io_uring_buf);
  void* memory = nullptr;
  if (posix_memalign(&memory, 4096, bytes) != 0) return fail_errno("buffer ring", ENOMEM);
  std::memset(memory, 0, bytes);
  buffer_ring_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uint64_t>(memory);
  registration.ring_entries = ring_blocks_;
  registration.bgid = receive_group;
  if (const int error = io_uring_register_buf_ring(&ring_, &registration, 0); error < 0)
    return fail("NoIoUring",
                std::string("this kernel's io_uring has no buffer rings: ") + std::strerror(-error),
                "Linux 6.1 or newer has them; run with --event-loop epoll");
  io_uring_buf_ring_init(buffer_ring_);
  lend_blocks();
  return {};
}

UringLoop::~UringLoop() {
  if (ring_open_) io_uring_queue_exit(&ring_);  // ends all operations before their memory goes
  std::free(buffer_ring_);
}

io_uring_sqe* UringLoop::entry() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  while (sqe == nullptr) {
    io_uring_submit(&ring_);
    sqe = io_uring_get_sqe(&ring_);
  }
  return sqe;
}

msghdr* UringLoop::message(SendQueue& queue) {
  if (messages_used_ == messages_.size()) messages_.emplace_back();
  Message& out = messages_[messages_used_++];
  out.header = msghdr{};
  out.header.msg_iov = out.pieces.data();
  out.header.msg_iovlen = queue.lend(out.pieces);
  return &out.header;
}

void UringLoop::cancel_operation(const void* owner, Operation operation) {
  io_uring_sqe* sqe = entry();
  io_uring_prep_cancel64(
      sqe, reinterpret_cast<std::uint64_t>(owner) | static_cast<std::uint64_t>(operation), 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  tag(sqe, nullptr, Operation::ignore);
}

void UringLoop::close_descriptor(Fd fd) {
  io_uring_sqe* sqe = entry();
  io_uring_prep_close(sqe, fd.release());
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  tag(sqe, nullptr, Operation::ignore);
}

Stream* UringLoop::adopt(Fd socket, StreamEvents* events) {
  return streams_.add(std::make_unique<UringStream>(*this, std::move(socket), events));
}

Stream* UringLoop::connect(Fd socket, const Address& to, StreamEvents* events) {
  UringStream* stream =
      streams_.add(std::make_unique<UringStream>(*this, std::move(socket), events));
  stream->start_connecting(to);
  return stream;
}

Listener* UringLoop::listen(Fd socket, AcceptEvents* events) {
  UringListener* listener =
      listeners_.add(std::make_unique<UringListener>(*this, std::move(socket), events));
  listener->arm();
  return listener;
}

void UringLoop::lend_blocks() {
  const int mask = io_uring_buf_ring_mask(ring_blocks_);
  int added = 0;
  for (; lent_ < ring_blocks_; ++lent_, ++added) {
    const std::uint32_t block = pool_.take();
    io_uring_buf_ring_add(buffer_ring_, pool_.address(block), pool_.block_bytes(),
                          static_cast<unsigned short>(block), mask, added);
  }
  if (added > 0) io_uring_buf_ring_advance(buffer_ring_, added);
}

void UringLoop::arm_wake() {
  io_uring_sqe* sqe = entry();
  io_uring_prep_poll_multishot(sqe, mailbox_.wake_fd(), POLLIN);
  tag(sqe, nullptr, Operation::wake);
  wake_armed_ = true;
}

void UringLoop::submit_and_wait() {
  const bool has_work =
      !dirty_.empty() || !next_turn_.empty() || !turn_ends_.empty() || is_try_awaited_;
  const auto wait = has_work ? 0 : wheel_.wait_ms(monotonic_ms(), 60'000);
  is_try_awaited_ = false;
  __kernel_timespec timeout{wait / 1000, (wait % 1000) * 1'000'000};
  io_uring_cqe* first = nullptr;
  if (wait == 0) {
    io_uring_submit_and_get_events(&ring_);
  } else {
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
  }
  messages_used_ = 0;
  addresses_.clear();
  read_clock();
}

void UringLoop::handle(const io_uring_cqe& cqe) {
  const auto operation = static_cast<Operation>(cqe.user_data & operation_mask);
  void* owner = reinterpret_cast<void*>(cqe.user_data & ~operation_mask);
  switch (operation) {
    case Operation::receive:
      return static_cast<UringStream*>(owner)->on_received(cqe.res, cqe.flags);
    case Operation::send:
      return static_cast<UringStream*>(owner)->on_sent(cqe.res);
    case Operation::poll_source:
    case Operation::poll_sink:
      return static_cast<UringStream*>(owner)->on_polled(operation);
    case Operation::connect:
      return static_cast<UringStream*>(owner)->on_connected(cqe.res);
    case Operation::accept:
      return static_cast<UringListener*>(owner)->on_accepted(cqe.res, cqe.flags);
    case Operation::wake:
      if ((cqe.flags & IORING_CQE_F_MORE) == 0) wake_armed_ = false;
      mailbox_.run();
      return;
    case Operation::try_send:  // has been dealt with
    case Operation::ignore:
      return;
  }
}

// First the refused sends, and with them all sends that were tried: whoever hears of an error in
// this turn then knows what had gone out before. Ready completions are all there are, but where
// more came than the queue holds: those are collected first, since silence means success only at
// the end.
void UringLoop::reap() {
  if (io_uring_cq_has_overflow(&ring_)) return reap_overflow();
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* cqe = nullptr;
  if (!tried_.empty()) {
    io_uring_for_each_cqe(&ring_, head, cqe) handle_refusal(*cqe);
    conclude_tries();
  }
  io_uring_for_each_cqe(&ring_, head, cqe) {
    ++count;
    handle(*cqe);
  }
  io_uring_cq_advance(&ring_, count);
}

void UringLoop::reap_overflow() {
  std::vector<io_uring_cqe> all;
  do {
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      ++count;
      all.push_back(*cqe);
    }
    io_uring_cq_advance(&ring_, count);
    io_uring_get_events(&ring_);
  } while (io_uring_cq_ready(&ring_) > 0);
  for (const io_uring_cqe& each : all) handle_refusal(each);
  conclude_tries();
  for (const io_uring_cqe& each : all) handle(each);
}

void UringLoop::handle_refusal(const io_uring_cqe& cqe) {
  if (static_cast<Operation>(cqe.user_data & operation_mask) != Operation::try_send) return;
  reinterpret_cast<UringStream*>(cqe.user_data & ~operation_mask)->on_try_refused(cqe.res);
}

void UringLoop::conclude_tries() {
  for (UringStream* stream : tried_) stream->conclude_try();
  tried_.clear();
}

void UringLoop::submit_streams() {
  for (UringStream* stream : next_turn_) {
    if (stream->in_dirty_list) continue;
    stream->in_dirty_list = true;
    dirty_.push_back(stream);
  }
  next_turn_.clear();
  // A submission may make others dirty (held data is delivered); they are served in the same turn.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    dirty_[i]->in_dirty_list = false;
    dirty_[i]->submit();
  }
  dirty_.clear();
}

void UringLoop::free_dead() {
  if (streams_.has_retired()) {
    for (auto* list : {&dirty_, &next_turn_})
      std::erase_if(*list, [](const UringStream* stream) { return stream->is_retired(); });
    streams_.bury();
  }
  listeners_.bury();
}

void UringLoop::run() {
  stopping_ = false;
  read_clock();
  block_broken_pipe_signal();
  // The thread that enables the ring is the one that may submit.
  // (liburing 2.3 declares io_uring_enable_rings but does not export it.)
  syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  io_uring_register_ring_fd(&ring_);
  while (!stopping_) {
    if (!wake_armed_) arm_wake();
    end_turn();
    submit_streams();
    lend_blocks();
    free_dead();
    submit_and_wait();
    reap();
    wheel_.advance(now_ms_);
  }
}

Result<std::unique_ptr<Loop>> create_uring_loop(const LoopOptions& options) {
  auto loop = std::make_unique<UringLoop>(options);
  if (auto opened = loop->open(options); !opened) return std::unexpected(opened.error());
  return loop;
}

}  // namespace weir::net

#else
#include "net/loop_base.hpp"

namespace weir::net {

Result<std::unique_ptr<Loop>> create_uring_loop(const LoopOptions&) {
  return fail("NoIoUring", "this build has no io_uring: its liburing was older than 2.3",
              "run with --event-loop epoll");
}

}  // namespace weir::net
#endif
