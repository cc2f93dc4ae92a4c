// The event loop on epoll, edge-triggered.
//
// Each stream is added to the epoll set once and never changed: readiness is remembered in the
// stream (`readable_`, `writable_`) until a call says EAGAIN. Streams that may be read further than
// a turn's share, and streams with something to send, wait in lists that the turn works off.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "base/slot_list.hpp"
#include "net/closing_list.hpp"
#include "net/loop_base.hpp"
#include "net/piping.hpp"
#include "net/send_queue.hpp"

namespace weir::net {
namespace {

constexpr int reads_a_turn_max = 4;
constexpr int accepts_a_turn_max = 64;

class EpollLoop;

// What an epoll event points to.
struct Watched {
  enum class Kind : std::uint8_t { stream, listener, mailbox } kind;
};

enum class Phase : std::uint8_t { connecting, open, flushing, lingering, closed };

class EpollStream final : public Watched, public Stream {
 public:
  EpollStream(EpollLoop& loop, Fd fd, StreamEvents* events)
      : Watched{Kind::stream},
        loop_(loop),
        events_(events),
        queue_(pool_of(loop)),
        fd_(std::move(fd)) {}

  void set_receiving(bool on) override;
  void send(Buffer data) override;
  void send_copy(std::string_view bytes) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return queue_.bytes(); }
  [[nodiscard]] std::uint64_t bytes_in_all() const override { return queue_.bytes_in_all(); }
  [[nodiscard]] bool pipe_to(Stream& sink, std::uint64_t bytes) override;
  void shutdown_send() override;
  void close(Close how) override;
  void set_events(StreamEvents* events) override { events_ = events; }
  [[nodiscard]] int fd() const override { return fd_.get(); }

  void on_ready(std::uint32_t ready);
  void receive();  // a turn's share
  void flush();    // sends what the kernel takes
  void start_connecting() { phase_ = Phase::connecting; }
  // Events come from a turn, never from within a call of the owner's.
  void fail_later(int error) {
    pending_error_ = error;
    make_dirty();
  }

  void finish();  // closes the descriptor; freed at the end of the turn
  [[nodiscard]] bool is_closed() const { return phase_ == Phase::closed; }
  [[nodiscard]] bool is_flushing() const { return phase_ == Phase::flushing; }

  bool in_dirty_list = false;
  bool in_readable_list = false;
  std::uint32_t slot = 0;
  std::uint32_t closing_place = ClosingList<EpollStream>::no_place;

 private:
  static BufferPool& pool_of(EpollLoop& loop);
  void make_dirty();
  void fail(int error);
  void after_flush();
  void drop_received();
  void want_receive();
  ssize_t send_front();
  void pump();
  void end_piping();

  EpollLoop& loop_;
  StreamEvents* events_;
  SendQueue queue_;
  std::unique_ptr<Piping> piping_;  // of a source
  // The other end: the sink of a source, the source of a sink. One pipe at a time each way.
  EpollStream* pipe_sink_ = nullptr;
  EpollStream* pipe_source_ = nullptr;
  Fd fd_;
  std::uint32_t lingered_bytes_ = 0;
  int pending_error_ = 0;
  Phase phase_ = Phase::open;
  bool receiving_ = false;
  bool readable_ = true;  // unknown at first: the first read tells
  bool writable_ = true;
  bool hung_up_ = false;  // FIN or error seen: read to the end, however short a read is
  bool ended_ = false;    // on_end was told
  bool shutdown_wanted_ = false;
  bool linger_ = false;
};

class EpollListener final : public Watched, public Listener {
 public:
  EpollListener(EpollLoop& loop, Fd fd, AcceptEvents* events)
      : Watched{Kind::listener},
        pause_([](void* self) { static_cast<EpollListener*>(self)->watch(); }, this),
        loop_(loop),
        fd_(std::move(fd)),
        events_(events) {}
  void close() override;
  void accept();
  void watch();

  std::uint32_t slot = 0;

 private:
  Timer pause_;
  EpollLoop& loop_;
  Fd fd_;
  AcceptEvents* events_;
};

class EpollLoop final : public LoopBase {
 public:
  EpollLoop(const LoopOptions& options, Fd epoll)
      : LoopBase(options), epoll_(std::move(epoll)), closing_(*this) {
    watch(mailbox_.wake_fd(), &mailbox_watch_, EPOLLIN);
  }
  ~EpollLoop() override = default;

  [[nodiscard]] Backend backend() const override { return Backend::epoll; }
  [[nodiscard]] std::size_t buffered_bytes() const override {
    return (pool_.blocks_total() - pool_.blocks_free()) * pool_.block_bytes();
  }
  Stream* adopt(Fd socket, StreamEvents* events) override { return add(std::move(socket), events); }
  Stream* connect(Fd socket, const Address& to, StreamEvents* events) override;
  Listener* listen(Fd socket, AcceptEvents* events) override;
  void run() override;

  void add_dirty(EpollStream* stream) { dirty_.push_back(stream); }
  void add_readable(EpollStream* stream) { readable_.push_back(stream); }
  void retire(EpollStream* stream) { streams_.retire(stream); }
  void retire(EpollListener* listener) { listeners_.retire(listener); }
  [[nodiscard]] ClosingList<EpollStream>& closing() { return closing_; }
  void watch(int fd, Watched* what, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = what;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }
  void unwatch(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

 private:
  EpollStream* add(Fd socket, StreamEvents* events);
  void turn();
  void free_dead();

  Fd epoll_;
  Watched mailbox_watch_{Watched::Kind::mailbox};
  SlotList<EpollStream> streams_;
  SlotList<EpollListener> listeners_;
  std::vector<EpollStream*> dirty_, readable_, working_;
  ClosingList<EpollStream> closing_;
};

BufferPool& EpollStream::pool_of(EpollLoop& loop) { return loop.pool(); }

// ---------------------------------------------------------------- stream
void EpollStream::make_dirty() {
  if (in_dirty_list) return;
  in_dirty_list = true;
  loop_.add_dirty(this);
}

void EpollStream::want_receive() {
  if (in_readable_list) return;
  in_readable_list = true;
  loop_.add_readable(this);
}

void EpollStream::set_receiving(bool on) {
  receiving_ = on;
  if (on && readable_ && phase_ == Phase::open) want_receive();
}

void EpollStream::send(Buffer data) {
  if (data.empty()) return;
  queue_.push(std::move(data));
  make_dirty();
}

void EpollStream::send_copy(std::string_view bytes) {
  queue_.push_copy(bytes);
  make_dirty();
}

void EpollStream::shutdown_send() {
  shutdown_wanted_ = true;
  make_dirty();
}

void EpollStream::close(Close how) {
  events_ = nullptr;
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

void EpollStream::finish() {
  if (phase_ == Phase::closed) return;
  end_piping();
  phase_ = Phase::closed;
  events_ = nullptr;
  queue_.clear();
  loop_.closing().remove(this);
  fd_.reset();  // leaves the epoll set by itself
  loop_.retire(this);
}

void EpollStream::fail(int error) {
  if (phase_ == Phase::closed) return;
  if (events_ == nullptr) return finish();
  end_piping();
  StreamEvents* events = std::exchange(events_, nullptr);
  readable_ = writable_ = false;
  queue_.clear();
  events->on_error(error);
}

void EpollStream::on_ready(std::uint32_t ready) {
  if (phase_ == Phase::closed) return;
  if (phase_ == Phase::connecting) {
    if ((ready & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail(error);
    phase_ = Phase::open;
    writable_ = true;
    make_dirty();
    if (events_ != nullptr) events_->on_connected();
    if (phase_ == Phase::closed) return;
  }
  if ((ready & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    readable_ = true;
    if ((ready & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
    if (receiving_ || phase_ == Phase::lingering) want_receive();
  }
  if ((ready & EPOLLOUT) != 0 && !writable_) {
    writable_ = true;
    make_dirty();
  }
}

void EpollStream::receive() {
  if (phase_ == Phase::lingering) return drop_received();
  if (piping_ != nullptr) return pump();
  for (int i = 0; i < reads_a_turn_max; ++i) {
    if (!receiving_ || !readable_ || ended_ || events_ == nullptr || phase_ != Phase::open) return;
    Buffer block = loop_.pool().acquire();
    const ssize_t got = ::recv(fd_.get(), block.data(), block.room(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return fail(errno);
      readable_ = false;
      return;
    }
    if (got == 0) {
      ended_ = true;
      readable_ = false;
      events_->on_end();
      return;
    }
    const auto size = static_cast<std::size_t>(got);
    if (size < block.room() && !hung_up_) readable_ = false;  // drained; an edge will follow
    block.set_size(size);
    events_->on_received(std::move(block));
    if (piping_ != nullptr) break;
  }
  if (receiving_ && readable_ && phase_ == Phase::open) want_receive();
}

void EpollStream::drop_received() {
  Buffer block = loop_.pool().acquire();
  for (int i = 0; i < reads_a_turn_max; ++i) {
    const ssize_t got = ::recv(fd_.get(), block.data(), block.room(), 0);
    if (got < 0 && errno == EAGAIN) {
      readable_ = false;
      return;
    }
    if (got <= 0) return finish();
    lingered_bytes_ += static_cast<std::uint32_t>(got);
    if (lingered_bytes_ > linger_bytes_max) return finish();
  }
  want_receive();
}

void EpollStream::flush() {
  if (phase_ == Phase::closed) return;
  if (pending_error_ != 0) return fail(std::exchange(pending_error_, 0));
  if (phase_ == Phase::connecting) return;
  const bool had_something = !queue_.empty();
  while (writable_ && !queue_.empty()) {
    const ssize_t sent = send_front();
    if (sent < 0) {
      queue_.sent(0);
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return fail(errno);
      writable_ = false;
      return;
    }
    queue_.sent(static_cast<std::size_t>(sent));
  }
  if (!queue_.empty()) return;
  after_flush();
  if (had_something && events_ != nullptr) events_->on_drained();
  if (pipe_source_ != nullptr && phase_ == Phase::open) pipe_source_->want_receive();
}

ssize_t EpollStream::send_front() {
  std::array<iovec, send_pieces_max> pieces;
  const std::size_t count = queue_.lend(pieces);
  // The FIN goes with the last bytes.
  const int flags = MSG_NOSIGNAL | (phase_ == Phase::flushing ? MSG_MORE : 0);
  if (count == 1) return ::send(fd_.get(), pieces[0].iov_base, pieces[0].iov_len, flags);
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  return ::sendmsg(fd_.get(), &message, flags);
}

void EpollStream::after_flush() {
  if (phase_ == Phase::flushing) {
    if (!linger_ || ended_) return finish();
    ::shutdown(fd_.get(), SHUT_WR);
    phase_ = Phase::lingering;
    if (readable_) want_receive();
    return;
  }
  if (shutdown_wanted_) {
    shutdown_wanted_ = false;
    ::shutdown(fd_.get(), SHUT_WR);
  }
}

// ---------------------------------------------------------------- piping
bool EpollStream::pipe_to(Stream& sink, std::uint64_t bytes) {
  if (!sink.is_socket()) return false;
  auto& other = static_cast<EpollStream&>(sink);
  if (phase_ != Phase::open || other.phase_ != Phase::open || piping_ != nullptr ||
      other.pipe_source_ != nullptr)
    return false;
  Pipe pipe = loop_.pipes().take();
  if (!pipe.in) return false;
  piping_ = std::make_unique<Piping>(loop_.pipes(), std::move(pipe), bytes);
  pipe_sink_ = &other;
  other.pipe_source_ = this;
  // A read may have taken less than there was because a block was full: only EAGAIN tells.
  readable_ = true;
  want_receive();
  return true;
}

// As the source or as the sink: the source goes on receiving as before.
void EpollStream::end_piping() {
  if (pipe_source_ != nullptr) pipe_source_->end_piping();
  if (piping_ == nullptr) return;
  std::exchange(pipe_sink_, nullptr)->pipe_source_ = nullptr;
  piping_.reset();
  if (receiving_ && readable_ && phase_ == Phase::open) want_receive();
}

void EpollStream::pump() {
  EpollStream& sink = *pipe_sink_;
  if (!receiving_ || ended_) return;
  for (int i = 0; i < pipe_steps_a_turn_max; ++i) {
    if (!sink.queue_.empty() || !sink.writable_) return;  // its flush() comes back to us
    const Piping::Outcome outcome = piping_->step(fd_.get(), sink.fd_.get());
    switch (outcome.step) {
      case Piping::Step::moved:
        sink.queue_.count(outcome.moved);
        if (piping_->left() == 0) end_piping();
        events_->on_piped(outcome.moved);
        if (piping_ == nullptr) return;
        break;
      case Piping::Step::source_empty:
        readable_ = false;
        return;
      case Piping::Step::sink_full:
        sink.writable_ = false;
        return;
      case Piping::Step::source_ended:
        ended_ = true;
        readable_ = false;
        end_piping();
        return events_->on_end();
      case Piping::Step::source_failed:
        return fail(outcome.error);
      case Piping::Step::sink_failed:
        return sink.fail(outcome.error);
    }
  }
  want_receive();
}

// ---------------------------------------------------------------- listener
void EpollListener::watch() { loop_.watch(fd_.get(), this, EPOLLIN); }

// Level-triggered: what is left over after a turn's share is told again.
void EpollListener::accept() {
  for (int i = 0; i < accepts_a_turn_max && fd_.valid(); ++i) {
    Fd socket(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      events_->on_accepted(std::move(socket));
      continue;
    }
    const int error = errno;
    if (error == EAGAIN) return;
    if (error == EINTR || error == ECONNABORTED || error == EPROTO) continue;
    loop_.unwatch(fd_.get());
    loop_.schedule(pause_, accept_pause_ms);
    events_->on_accept_error(error);
    return;
  }
}

void EpollListener::close() {
  if (!fd_) return;
  fd_.reset();
  loop_.cancel(pause_);
  loop_.retire(this);
}

// ---------------------------------------------------------------- loop
EpollStream* EpollLoop::add(Fd socket, StreamEvents* events) {
  const int fd = socket.get();
  EpollStream* out = streams_.add(std::make_unique<EpollStream>(*this, std::move(socket), events));
  watch(fd, out, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  return out;
}

Stream* EpollLoop::connect(Fd socket, const Address& to, StreamEvents* events) {
  const int fd = socket.get();
  const auto* address = reinterpret_cast<const sockaddr*>(&to.storage);
  const int result = ::connect(fd, address, to.length);
  const int error = result == 0 ? 0 : errno;
  EpollStream* stream = add(std::move(socket), events);
  stream->start_connecting();
  if (error != 0 && error != EINPROGRESS) stream->fail_later(error);
  return stream;
}

Listener* EpollLoop::listen(Fd socket, AcceptEvents* events) {
  EpollListener* listener =
      listeners_.add(std::make_unique<EpollListener>(*this, std::move(socket), events));
  listener->watch();
  return listener;
}

void EpollLoop::turn() {
  std::array<epoll_event, 256> events;
  const bool has_work = !dirty_.empty() || !readable_.empty() || !turn_ends_.empty();
  const auto wait = has_work ? 0 : wheel_.wait_ms(monotonic_ms(), 60'000);
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                               static_cast<int>(wait));
  read_clock();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    auto* watched = static_cast<Watched*>(event.data.ptr);
    switch (watched->kind) {
      case Watched::Kind::mailbox:
        mailbox_.run();
        break;
      case Watched::Kind::listener:
        static_cast<EpollListener*>(watched)->accept();
        break;
      case Watched::Kind::stream:
        static_cast<EpollStream*>(watched)->on_ready(event.events);
        break;
    }
  }
  wheel_.advance(now_ms_);
  working_.swap(readable_);
  for (EpollStream* stream : working_) {
    stream->in_readable_list = false;
    stream->receive();
  }
  working_.clear();
  end_turn();
  // Flushing may make others dirty (on_drained), those go out in the same turn.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    dirty_[i]->in_dirty_list = false;
    dirty_[i]->flush();
  }
  dirty_.clear();
  free_dead();
}

void EpollLoop::free_dead() {
  if (streams_.has_retired()) {
    std::erase_if(readable_, [](const EpollStream* stream) { return stream->is_closed(); });
    streams_.bury();
  }
  listeners_.bury();
}

void EpollLoop::run() {
  stopping_ = false;
  read_clock();
  block_broken_pipe_signal();
  while (!stopping_) turn();
}

}  // namespace

Result<std::unique_ptr<Loop>> create_epoll_loop(const LoopOptions& options) {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return fail_errno("epoll_create1", errno);
  return std::make_unique<EpollLoop>(options, std::move(epoll));
}

}  // namespace weir::net
