// A stream on io_uring: what it asks of the kernel, and what it makes of the completions.
//
// A send is tried first: with MSG_DONTWAIT | MSG_WAITALL it ends within the submit, and where the
// socket took all of it no completion comes; only a refusal tells how much went out, and the next
// send then waits for the socket. That spares most sends their completion.
#ifdef WEIR_HAVE_URING
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/assert.hpp"
#include "net/uring_loop.hpp"

namespace weir::net {
namespace {

// A multishot receive brings all that the socket holds before anybody can say that a pipe is to
// take it. After a piped body so many receives bring one block each: the next body may be as large.
constexpr std::uint8_t single_receives_after_pipe = 8;
// With more than this queued the owner may be waiting for on_drained.
constexpr std::size_t awaited_bytes_min = 16'384;

}  // namespace

UringStream::UringStream(UringLoop& loop, Fd fd, StreamEvents* events)
    : loop_(loop), events_(events), queue_(loop.pool()), fd_(std::move(fd)) {}

// ---------------------------------------------------------------- the owner's wishes
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
  queue_.push_copy(bytes);
  make_dirty();
}

void UringStream::shutdown_send() {
  shutdown_wanted_ = true;
  make_dirty();
}

void UringStream::close(Close how) {
  events_ = nullptr;
  held_.clear();
  end_piping();
  if (how == Close::reset) {
    const linger abort{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  }
  if (how == Close::now || how == Close::reset || phase_ == Phase::connecting) return finish();
  linger_ = how == Close::linger;
  phase_ = Phase::flushing;
  loop_.closing().add(this);
  make_dirty();
}

// ---------------------------------------------------------------- to the kernel
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
  submit_receive();
  if (!send_under_way_) submit_send();
  if (piping_ != nullptr) pump();
}

void UringStream::submit_receive() {
  const bool wants = !ended_ && (phase_ == Phase::lingering ||
                                 (receiving_ && events_ != nullptr && piping_ == nullptr));
  if (wants && !receive_armed_) {
    io_uring_sqe* sqe = loop_.entry();
    if (single_receives_ > 0) {
      --single_receives_;
      io_uring_prep_recv(sqe, fd_.get(), nullptr, 0, 0);
    } else {
      io_uring_prep_recv_multishot(sqe, fd_.get(), nullptr, 0, 0);
    }
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = receive_group;
    UringLoop::tag(sqe, this, Operation::receive);
    receive_armed_ = true;
    receive_cancelled_ = false;
    ++pending_;
  } else if (!wants && receive_armed_ && !receive_cancelled_) {
    receive_cancelled_ = true;
    loop_.cancel_operation(this, Operation::receive);
  }
}

void UringStream::submit_send() {
  if (queue_.empty()) return after_flush();
  const int flags = MSG_NOSIGNAL | MSG_WAITALL | (must_wait_ ? 0 : MSG_DONTWAIT) |
                    (phase_ == Phase::flushing ? MSG_MORE : 0);  // the FIN goes with it
  io_uring_sqe* sqe = loop_.entry();
  std::array<iovec, 1> single{};
  if (queue_.has_one_piece()) {
    queue_.lend(single);
    io_uring_prep_send(sqe, fd_.get(), single[0].iov_base, single[0].iov_len, flags);
  } else {
    io_uring_prep_sendmsg(sqe, fd_.get(), loop_.message(queue_), static_cast<unsigned>(flags));
  }
  send_under_way_ = true;
  ++pending_;
  if (must_wait_) return UringLoop::tag(sqe, this, Operation::send);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  UringLoop::tag(sqe, this, Operation::try_send);
  is_trying_ = true;
  loop_.add_tried(this, phase_ != Phase::open || shutdown_wanted_ || pipe_source_ != nullptr ||
                            queue_.bytes() > awaited_bytes_min);
}

void UringStream::poll(Operation operation) {
  const bool is_source = operation == Operation::poll_source;
  bool& is_polled = is_source ? source_polled_ : sink_polled_;
  if (is_polled) return;
  is_polled = true;
  io_uring_sqe* sqe = loop_.entry();
  io_uring_prep_poll_add(sqe, fd_.get(), is_source ? POLLIN | POLLRDHUP : POLLOUT);
  UringLoop::tag(sqe, this, operation);
  ++pending_;
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

void UringStream::finish() {
  if (phase_ == Phase::closing) return;
  end_piping();
  phase_ = Phase::closing;
  events_ = nullptr;
  loop_.closing().remove(this);
  // In this order the cancellation drops the kernel's references and the close is the last one.
  const bool is_connecting = pending_ > 0 && !receive_armed_ && !send_under_way_;
  if (receive_armed_) loop_.cancel_operation(this, Operation::receive);
  if (send_under_way_ && !is_trying_) loop_.cancel_operation(this, Operation::send);
  if (is_connecting) loop_.cancel_operation(this, Operation::connect);
  if (source_polled_) loop_.cancel_operation(this, Operation::poll_source);
  if (sink_polled_) loop_.cancel_operation(this, Operation::poll_sink);
  loop_.close_descriptor(std::move(fd_));
  if (pending_ == 0 && !retired_) {
    retired_ = true;
    loop_.retire(this);
  }
}

// ---------------------------------------------------------------- from the kernel
void UringStream::operation_ended() {
  WEIR_ASSERT(pending_ > 0);
  --pending_;
  if (pending_ == 0 && phase_ == Phase::closing && !retired_) {
    retired_ = true;
    loop_.retire(this);
  }
}

void UringStream::after_sent(std::size_t bytes) {
  queue_.sent(bytes);
  const bool has_more =
      !queue_.empty() || shutdown_wanted_ || phase_ != Phase::open || pipe_source_ != nullptr;
  if (has_more) make_dirty();
  if (!queue_.empty()) return;
  if (pipe_source_ != nullptr) pipe_source_->make_dirty();
  if (events_ != nullptr) events_->on_drained();
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
  must_wait_ = false;
  after_sent(static_cast<std::size_t>(result));
}

void UringStream::on_try_refused(int result) {
  is_trying_ = false;
  on_sent(result);
  must_wait_ = true;
}

void UringStream::conclude_try() {
  if (!is_trying_) return;
  is_trying_ = false;
  send_under_way_ = false;
  operation_ended();
  if (phase_ != Phase::closing) after_sent(queue_.lent_bytes());
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
    end_piping();
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
    lingered_bytes_ += static_cast<std::uint32_t>(data.size());
    if (lingered_bytes_ > linger_bytes_max) finish();
    return;
  }
  if (events_ == nullptr) return;
  if (!receiving_ || !held_.empty()) {
    held_.push_back(std::move(data));
    return;
  }
  if (piping_ != nullptr) return pass_by(std::move(data));
  events_->on_received(std::move(data));
}

void UringStream::deliver_held() {
  std::size_t next = 0;
  while (next < held_.size() && receiving_ && events_ != nullptr && phase_ == Phase::open) {
    Buffer data = std::move(held_[next++]);
    if (piping_ != nullptr) {
      pass_by(std::move(data));
    } else {
      events_->on_received(std::move(data));
    }
  }
  if (next >= held_.size()) {  // or the owner has closed the stream, and with it dropped the rest
    held_.clear();
  } else {
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(next));
  }
  if (held_.empty() && ended_ && !end_told_ && receiving_ && events_ != nullptr &&
      phase_ == Phase::open) {
    end_told_ = true;
    events_->on_end();
  }
}

void UringStream::fail(int error) {
  if (events_ == nullptr) return finish();
  end_piping();
  StreamEvents* events = std::exchange(events_, nullptr);
  queue_.clear();
  receiving_ = false;
  events->on_error(error);
}

// ---------------------------------------------------------------- piping
bool UringStream::pipe_to(Stream& sink, std::uint64_t bytes) {
  if (!sink.is_socket()) return false;
  auto& other = static_cast<UringStream&>(sink);
  if (phase_ != Phase::open || other.phase_ != Phase::open || piping_ != nullptr ||
      other.pipe_source_ != nullptr)
    return false;
  Pipe pipe = loop_.pipes().take();
  if (!pipe.in) return false;
  piping_ = std::make_unique<Piping>(loop_.pipes(), std::move(pipe), bytes);
  pipe_sink_ = &other;
  other.pipe_source_ = this;
  make_dirty();
  return true;
}

// As the source or as the sink: the source goes on receiving as before.
void UringStream::end_piping() {
  if (pipe_source_ != nullptr) pipe_source_->end_piping();
  if (piping_ == nullptr) return;
  std::exchange(pipe_sink_, nullptr)->pipe_source_ = nullptr;
  piping_.reset();
  single_receives_ = single_receives_after_pipe;
  make_dirty();
}

// What the multishot receive brought before its cancellation took effect goes the usual way.
void UringStream::pass_by(Buffer data) {
  Buffer rest;
  if (data.size() > piping_->left()) {
    const auto part = static_cast<std::size_t>(piping_->left());
    rest = loop_.pool().acquire();
    rest.append(data.view().substr(part));
    data.set_size(part);
  }
  const std::size_t bytes = data.size();
  piping_->went_by(bytes);
  pipe_sink_->send(std::move(data));
  if (piping_->left() == 0) end_piping();
  events_->on_piped(bytes);
  if (!rest.empty() && events_ != nullptr) events_->on_received(std::move(rest));
}

void UringStream::pump() {
  // First what is under way: the receive ends, what the sink has queued goes out.
  UringStream& sink = *pipe_sink_;
  if (receive_armed_ || !receiving_ || !sink.queue_.empty() || sink.send_under_way_) return;
  if (sink.phase_ != Phase::open || source_polled_ || sink.sink_polled_) return;
  for (int i = 0; i < pipe_steps_a_turn_max; ++i) {
    const Piping::Outcome outcome = piping_->step(fd_.get(), sink.fd_.get());
    switch (outcome.step) {
      case Piping::Step::moved:
        sink.queue_.count(outcome.moved);
        if (piping_->left() == 0) end_piping();
        events_->on_piped(outcome.moved);
        if (piping_ == nullptr) return;
        break;
      case Piping::Step::source_empty:
        return poll(Operation::poll_source);
      case Piping::Step::sink_full:
        return sink.poll(Operation::poll_sink);
      case Piping::Step::source_ended:
        ended_ = end_told_ = true;
        end_piping();
        return events_->on_end();
      case Piping::Step::source_failed:
        return fail(outcome.error);
      case Piping::Step::sink_failed:
        return sink.fail(outcome.error);
    }
  }
  loop_.add_next_turn(this);
}

void UringStream::on_polled(Operation operation) {
  const bool is_source = operation == Operation::poll_source;
  (is_source ? source_polled_ : sink_polled_) = false;
  operation_ended();
  if (phase_ == Phase::closing) return;
  if (is_source) {
    make_dirty();
  } else if (pipe_source_ != nullptr) {
    pipe_source_->make_dirty();
  }
}

}  // namespace weir::net
#endif
