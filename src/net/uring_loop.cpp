// The event loop on io_uring.
//
// One ring a thread (single issuer, deferred task running): receives and accepts are multishot, data
// lands in blocks lent to the kernel through a provided-buffer ring, and all requests of a turn go to
// the kernel in the one call that waits for the next completions.
//
// Life times: a completion carries the pointer of its stream with the operation in the low bits.
// Every operation is counted (`pending_`) and answers with exactly one last completion, so a stream
// is freed when it is closed and nothing is pending; no completion can meet a freed stream, and a
// descriptor number that is used again cannot be confused. Source: platform reference §7.
#ifdef WEIR_HAVE_URING
#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "base/assert.hpp"
#include "net/loop_base.hpp"
#include "net/send_queue.hpp"

namespace weir::net {
namespace {

constexpr unsigned submission_entries = 1024;
constexpr unsigned completion_entries = 4096;
constexpr int receive_group = 0;
constexpr std::size_t linger_bytes_max = 1'048'576;

enum class Operation : std::uint64_t { ignore, receive, send, connect, accept, wake };
constexpr std::uint64_t operation_mask = 7;

class UringLoop;

enum class Phase : std::uint8_t { connecting, open, flushing, lingering, closing };

class alignas(8) UringStream final : public Stream {
 public:
  UringStream(UringLoop& loop, Fd fd, StreamEvents* events)
      : close_timer_([](void* self) { static_cast<UringStream*>(self)->finish(); }, this),
        loop_(loop),
        fd_(std::move(fd)),
        events_(events) {}

  void set_receiving(bool on) override;
  void send(Buffer data) override;
  void send_copy(std::string_view bytes) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return queue_.bytes(); }
  [[nodiscard]] std::uint64_t bytes_in_all() const override { return queue_.bytes_in_all(); }
  void shutdown_send() override;
  void close(Close how) override;
  void set_events(StreamEvents* events) override { events_ = events; }
  [[nodiscard]] int fd() const override { return fd_.get(); }

  void start_connecting(const Address& to);
  void on_received(int result, std::uint32_t flags);
  void on_sent(int result);
  void on_connected(int result);
  // End of the turn: hands the kernel what is to be sent or received.
  void submit();

  bool in_dirty_list = false;
  std::size_t slot = 0;

 private:
  void make_dirty();
  void finish();
  void fail(int error);
  void after_flush();
  void operation_ended();
  void take(Buffer data);
  void deliver_held();

  Timer close_timer_;
  UringLoop& loop_;
  Fd fd_;
  StreamEvents* events_;
  SendQueue queue_;
  std::vector<Buffer> held_;  // arrived while paused, before the cancellation took effect
  std::size_t lingered_bytes_ = 0;
  std::uint8_t pending_ = 0;  // operations whose last completion is to come
  Phase phase_ = Phase::open;
  bool receiving_ = false;
  bool receive_armed_ = false;
  bool receive_cancelled_ = false;
  bool send_under_way_ = false;
  bool ended_ = false;        // the peer's FIN has come
  bool end_told_ = false;
  bool shutdown_wanted_ = false;
  bool linger_ = false;
  bool buried_ = false;
};

class alignas(8) UringListener final : public Listener {
 public:
  UringListener(UringLoop& loop, Fd fd, AcceptEvents* events)
      : pause_([](void* self) { static_cast<UringListener*>(self)->arm(); }, this),
        loop_(loop),
        fd_(std::move(fd)),
        events_(events) {}
  void close() override;
  void arm();
  void on_accepted(int result, std::uint32_t flags);

 private:
  Timer pause_;
  UringLoop& loop_;
  Fd fd_;
  AcceptEvents* events_;
  bool armed_ = false;
  bool closed_ = false;
};

class UringLoop final : public LoopBase {
 public:
  explicit UringLoop(const LoopOptions& options) : LoopBase(options) {}
  ~UringLoop() override;
  Status open(const LoopOptions& options);

  [[nodiscard]] Backend backend() const override { return Backend::io_uring; }
  Stream* adopt(Fd socket, StreamEvents* events) override { return add(std::move(socket), events); }
  Stream* connect(Fd socket, const Address& to, StreamEvents* events) override;
  Listener* listen(Fd socket, AcceptEvents* events) override;
  void run() override;

  // A submission entry; submits what is there when the queue is full.
  io_uring_sqe* entry();
  static void tag(io_uring_sqe* sqe, const void* owner, Operation operation) {
    io_uring_sqe_set_data64(sqe, reinterpret_cast<std::uint64_t>(owner) |
                                     static_cast<std::uint64_t>(operation));
  }
  // Space for a send's pieces that lives until the turn's submission.
  msghdr* message(SendQueue& queue);
  const Address& keep_until_submitted(const Address& address) {
    return addresses_.emplace_back(address);
  }
  void cancel_operation(const void* owner, Operation operation);

  void add_dirty(UringStream* stream) { dirty_.push_back(stream); }
  void bury(UringStream* stream) { dead_.push_back(stream); }
  void bury(UringListener* listener) { dead_listeners_.push_back(listener); }
  void block_used() { --lent_; }

 private:
  struct Message {
    msghdr header;
    std::array<iovec, send_pieces_max> pieces;
  };

  UringStream* add(Fd socket, StreamEvents* events);
  void lend_blocks();
  void arm_wake();
  void submit_and_wait();
  void reap();
  void handle(const io_uring_cqe& cqe);
  void submit_streams();
  void free_dead();

  io_uring ring_{};
  bool ring_open_ = false;
  io_uring_buf_ring* buffer_ring_ = nullptr;
  std::uint32_t ring_blocks_ = 0;
  std::uint32_t lent_ = 0;
  bool wake_armed_ = false;
  std::deque<Message> messages_;  // stable addresses; reused each turn
  std::size_t messages_used_ = 0;
  std::deque<Address> addresses_;
  std::vector<std::unique_ptr<UringStream>> streams_;
  std::vector<std::unique_ptr<UringListener>> listeners_;
  std::vector<UringStream*> dirty_, dead_;
  std::vector<UringListener*> dead_listeners_;
};

// ---------------------------------------------------------------- stream
void UringStream::make_dirty() {
  if (in_dirty_list) return;
  in_dirty_list = true;
  loop_.add_dirty(this);
}

void UringStream::set_receiving(bool on) {
  if (receiving_ == on) return;
  receiving_ = on;
  make_dirty();
}

void UringStream::send(Buffer data) {
  if (data.empty()) return;
  queue_.push(std::move(data));
  make_dirty();
}

void UringStream::send_copy(std::string_view bytes) {
  queue_.push_copy(loop_.pool(), bytes);
  make_dirty();
}

void UringStream::shutdown_send() {
  shutdown_wanted_ = true;
  make_dirty();
}

void UringStream::start_connecting(const Address& to) {
  phase_ = Phase::connecting;
  io_uring_sqe* sqe = loop_.entry();
  const Address& address = loop_.keep_until_submitted(to);
  io_uring_prep_connect(sqe, fd_.get(), reinterpret_cast<const sockaddr*>(&address.storage),
                        address.length);
  UringLoop::tag(sqe, this, Operation::connect);
  ++pending_;
}

void UringStream::submit() {
  if (phase_ == Phase::connecting || phase_ == Phase::closing) return;
  const bool has_news = !held_.empty() || (ended_ && !end_told_);
  if (has_news && receiving_ && phase_ == Phase::open) deliver_held();
  if (phase_ == Phase::closing) return;
  const bool wants_receive =
      !ended_ && (phase_ == Phase::lingering || (receiving_ && events_ != nullptr));
  if (wants_receive && !receive_armed_) {
    io_uring_sqe* sqe = loop_.entry();
    io_uring_prep_recv_multishot(sqe, fd_.get(), nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = receive_group;
    UringLoop::tag(sqe, this, Operation::receive);
    receive_armed_ = true;
    receive_cancelled_ = false;
    ++pending_;
  } else if (!wants_receive && receive_armed_ && !receive_cancelled_) {
    receive_cancelled_ = true;
    loop_.cancel_operation(this, Operation::receive);
  }
  if (send_under_way_) return;
  if (queue_.empty()) return after_flush();
  io_uring_sqe* sqe = loop_.entry();
  std::array<iovec, 1> single{};
  if (queue_.has_one_piece()) {
    queue_.lend(single);
    io_uring_prep_send(sqe, fd_.get(), single[0].iov_base, single[0].iov_len,
                       MSG_NOSIGNAL | MSG_WAITALL);
  } else {
    io_uring_prep_sendmsg(sqe, fd_.get(), loop_.message(queue_), MSG_NOSIGNAL | MSG_WAITALL);
  }
  UringLoop::tag(sqe, this, Operation::send);
  send_under_way_ = true;
  ++pending_;
}

void UringStream::on_sent(int result) {
  send_under_way_ = false;
  operation_ended();
  if (phase_ == Phase::closing) return;
  if (result == -EINTR || result == -EAGAIN) result = 0;
  if (result < 0) {
    queue_.sent(0);
    return fail(-result);
  }
  queue_.sent(static_cast<std::size_t>(result));
  make_dirty();
  if (queue_.empty() && events_ != nullptr) events_->on_drained();
}

void UringStream::on_connected(int result) {
  operation_ended();
  if (phase_ == Phase::closing) return;
  if (result < 0) return fail(-result);
  phase_ = Phase::open;
  make_dirty();
  if (events_ != nullptr) events_->on_connected();
}

void UringStream::on_received(int result, std::uint32_t flags) {
  const bool is_last = (flags & IORING_CQE_F_MORE) == 0;
  Buffer data;
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    loop_.block_used();
    data = loop_.pool().received(flags >> IORING_CQE_BUFFER_SHIFT,
                                 result > 0 ? static_cast<std::uint32_t>(result) : 0);
  }
  if (is_last) {
    receive_armed_ = false;
    operation_ended();
    if (phase_ == Phase::closing) return;
    make_dirty();  // armed again at the end of the turn, where it is still wanted
  }
  if (phase_ == Phase::closing) return;
  if (result > 0) return take(std::move(data));
  if (result == 0) {
    ended_ = true;
    if (phase_ == Phase::lingering) return finish();
    if (held_.empty() && receiving_ && events_ != nullptr && !end_told_) {
      end_told_ = true;
      events_->on_end();
    }
    return;
  }
  if (result == -ENOBUFS || result == -ECANCELED || result == -EINTR) return;
  if (phase_ == Phase::lingering) return finish();
  fail(-result);
}

void UringStream::take(Buffer data) {
  if (phase_ == Phase::lingering) {
    lingered_bytes_ += data.size();
    if (lingered_bytes_ > linger_bytes_max) finish();
    return;
  }
  if (events_ == nullptr) return;
  if (!receiving_ || !held_.empty()) {
    held_.push_back(std::move(data));
    return;
  }
  events_->on_received(std::move(data));
}

void UringStream::deliver_held() {
  std::size_t next = 0;
  while (next < held_.size() && receiving_ && events_ != nullptr && phase_ == Phase::open) {
    Buffer data = std::move(held_[next++]);
    events_->on_received(std::move(data));
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(next));
  if (held_.empty() && ended_ && !end_told_ && receiving_ && events_ != nullptr &&
      phase_ == Phase::open) {
    end_told_ = true;
    events_->on_end();
  }
}

void UringStream::fail(int error) {
  if (events_ == nullptr) return finish();
  StreamEvents* events = std::exchange(events_, nullptr);
  queue_.clear();
  receiving_ = false;
  events->on_error(error);
}

void UringStream::after_flush() {
  if (phase_ == Phase::flushing) {
    if (!linger_ || ended_) return finish();
    ::shutdown(fd_.get(), SHUT_WR);
    phase_ = Phase::lingering;
    make_dirty();
    return;
  }
  if (shutdown_wanted_) {
    shutdown_wanted_ = false;
    ::shutdown(fd_.get(), SHUT_WR);
  }
}

void UringStream::close(Close how) {
  events_ = nullptr;
  held_.clear();
  if (how == Close::reset) {
    const linger abort{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  }
  if (how == Close::now || how == Close::reset || phase_ == Phase::connecting) return finish();
  linger_ = how == Close::linger;
  phase_ = Phase::flushing;
  loop_.schedule(close_timer_, close_timeout_ms);
  make_dirty();
}

void UringStream::finish() {
  if (phase_ == Phase::closing) return;
  phase_ = Phase::closing;
  events_ = nullptr;
  loop_.cancel(close_timer_);
  // In this order the cancellation drops the kernel's references and the close is the last one.
  if (receive_armed_) loop_.cancel_operation(this, Operation::receive);
  if (send_under_way_) loop_.cancel_operation(this, Operation::send);
  if (pending_ > 0 && !receive_armed_ && !send_under_way_)
    loop_.cancel_operation(this, Operation::connect);
  io_uring_sqe* sqe = loop_.entry();
  io_uring_prep_close(sqe, fd_.release());
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  UringLoop::tag(sqe, nullptr, Operation::ignore);
  if (pending_ == 0 && !buried_) {
    buried_ = true;
    loop_.bury(this);
  }
}

void UringStream::operation_ended() {
  WEIR_ASSERT(pending_ > 0);
  --pending_;
  if (pending_ == 0 && phase_ == Phase::closing && !buried_) {
    buried_ = true;
    loop_.bury(this);
  }
}

// ---------------------------------------------------------------- listener
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
  if (closed_) return loop_.bury(this);
  if (result >= 0) return arm();
  loop_.schedule(pause_, accept_pause_ms);
}

void UringListener::close() {
  if (closed_) return;
  closed_ = true;
  loop_.cancel(pause_);
  if (armed_) loop_.cancel_operation(this, Operation::accept);
  io_uring_sqe* sqe = loop_.entry();
  io_uring_prep_close(sqe, fd_.release());
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  UringLoop::tag(sqe, nullptr, Operation::ignore);
  if (!armed_) loop_.bury(this);
}

// ---------------------------------------------------------------- loop
Status UringLoop::open(const LoopOptions& options) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
                 IORING_SETUP_CQSIZE;
  params.cq_entries = completion_entries;
  if (const int error = io_uring_queue_init_params(submission_entries, &ring_, &params); error < 0)
    return fail("NoIoUring",
                std::string("io_uring cannot be used here: ") + std::strerror(-error),
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

UringStream* UringLoop::add(Fd socket, StreamEvents* events) {
  auto stream = std::make_unique<UringStream>(*this, std::move(socket), events);
  stream->slot = streams_.size();
  streams_.push_back(std::move(stream));
  return streams_.back().get();
}

Stream* UringLoop::connect(Fd socket, const Address& to, StreamEvents* events) {
  UringStream* stream = add(std::move(socket), events);
  stream->start_connecting(to);
  return stream;
}

Listener* UringLoop::listen(Fd socket, AcceptEvents* events) {
  listeners_.push_back(std::make_unique<UringListener>(*this, std::move(socket), events));
  listeners_.back()->arm();
  return listeners_.back().get();
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
  const auto wait = dirty_.empty() ? wheel_.wait_ms(monotonic_ms(), 60'000) : 0;
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
    case Operation::connect:
      return static_cast<UringStream*>(owner)->on_connected(cqe.res);
    case Operation::accept:
      return static_cast<UringListener*>(owner)->on_accepted(cqe.res, cqe.flags);
    case Operation::wake:
      if ((cqe.flags & IORING_CQE_F_MORE) == 0) wake_armed_ = false;
      mailbox_.run();
      return;
    case Operation::ignore:
      return;
  }
}

void UringLoop::reap() {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    ++count;
    handle(*cqe);
  }
  io_uring_cq_advance(&ring_, count);
}

void UringLoop::submit_streams() {
  // A submission may make others dirty (held data is delivered); they are served in the same turn.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    dirty_[i]->in_dirty_list = false;
    dirty_[i]->submit();
  }
  dirty_.clear();
}

void UringLoop::free_dead() {
  for (UringStream* stream : dead_) {
    if (stream->in_dirty_list) std::erase(dirty_, stream);
    const std::size_t slot = stream->slot;
    if (slot + 1 != streams_.size()) {
      streams_[slot] = std::move(streams_.back());
      streams_[slot]->slot = slot;
    }
    streams_.pop_back();
  }
  dead_.clear();
  for (UringListener* listener : dead_listeners_)
    std::erase_if(listeners_, [&](const auto& each) { return each.get() == listener; });
  dead_listeners_.clear();
}

void UringLoop::run() {
  stopping_ = false;
  read_clock();
  // The thread that enables the ring is the one that may submit.
  // (liburing 2.3 declares io_uring_enable_rings but does not export it.)
  syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  io_uring_register_ring_fd(&ring_);
  while (!stopping_) {
    if (!wake_armed_) arm_wake();
    submit_streams();
    lend_blocks();
    free_dead();
    submit_and_wait();
    reap();
    wheel_.advance(now_ms_);
  }
}

}  // namespace

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
  return fail("NoIoUring", "this build has no io_uring: its liburing was older than 2.2",
              "run with --event-loop epoll");
}

}  // namespace weir::net
#endif
