// The event loop: one per thread, completions in, one submission a turn out.
//
// Two back ends behind one interface, chosen at start-up: io_uring (multishot accept and receive,
// provided buffers) and epoll (edge-triggered). A turn reaps what happened and calls the owners'
// event functions; what they send is queued and goes out once at the end of the turn, so a head and
// the body that follows it leave in one call. Both back ends pass the same tests.
//
// Life times: the loop owns the streams. A Stream* is valid from adopt()/connect() until close();
// after close() no event comes, and the loop frees it when the kernel holds nothing of it any more.
// Everything but post(), stop() and now is for the loop's thread only.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "net/buffer.hpp"

namespace weir::net {

struct Address {  // IPv4 or IPv6 with port
  sockaddr_storage storage{};
  socklen_t length = 0;

  // Numeric only, never a name.
  [[nodiscard]] static Result<Address> parse(const std::string& ip, std::uint16_t port);
  [[nodiscard]] std::string ip() const;
  [[nodiscard]] std::uint16_t port() const;
};

class Stream;

// What happens on a stream. Called from Loop::turn(); may call anything on any stream, close()
// included.
class StreamEvents {
 public:
  virtual void on_connected() {}              // connect() succeeded
  virtual void on_received(Buffer data) = 0;  // at least one byte
  virtual void on_end() = 0;                  // the peer closed its sending side, in order
  // The send queue has become empty. Of a queue that was short this is told with the next event.
  virtual void on_drained() {}
  // So many bytes more have gone to the sink of pipe_to().
  virtual void on_piped(std::size_t) {}
  // errno: connect, receive or send failed. The last event; the owner still closes the stream.
  virtual void on_error(int error) = 0;

 protected:
  ~StreamEvents() = default;
};

// How a stream ends. In every case no event follows.
enum class Close : std::uint8_t {
  now,    // what is still queued is dropped
  flush,  // what is queued is sent first
  // As flush; then FIN, and what the peer still sends is read and dropped for a while, since a
  // close with unread bytes would send RST and the peer might lose what was sent to it (RFC 9112
  // §9.6).
  linger,
  reset,  // RST: the peer must not take what it has got for a whole message
};

class Stream {
 public:
  // Starts or pauses receiving. After a pause no data is delivered until it is started again.
  virtual void set_receiving(bool on) = 0;
  // Queues; the queue is sent at the end of the turn, in order.
  virtual void send(Buffer data) = 0;
  // Queues a copy.
  virtual void send_copy(std::string_view bytes) = 0;
  // Bytes queued or under way, not yet taken by the kernel.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  // Bytes ever given to send() and send_copy(), or piped to this stream.
  [[nodiscard]] virtual std::uint64_t bytes_in_all() const = 0;
  // Passes the next `bytes` that arrive on to `sink`, behind what it has queued, without bringing
  // them into memory (splice(2)). Instead of on_received comes on_piped, until all of them are
  // there; then all is as before. Closing either stream ends it. False where no pipe can be had, as
  // where one of the two is no socket: nothing has changed. For bodies of many blocks: beginning
  // and ending costs some system calls.
  [[nodiscard]] virtual bool pipe_to(Stream& sink, std::uint64_t bytes) = 0;
  // Sends FIN once the queue is empty.
  virtual void shutdown_send() = 0;
  // Lingering is bounded to a few seconds, flushing to a few seconds without the peer taking any of
  // it (and minutes in all).
  virtual void close(Close how = Close::now) = 0;
  virtual void set_events(StreamEvents* events) = 0;
  [[nodiscard]] virtual int fd() const = 0;
  // False: what is sent is not what goes over the socket (it is encrypted first).
  [[nodiscard]] virtual bool is_socket() const { return true; }

 protected:
  ~Stream() = default;
};

class AcceptEvents {
 public:
  virtual void on_accepted(Fd socket) = 0;
  // EMFILE and the like: accepting goes on by itself after a pause.
  virtual void on_accept_error(int error) = 0;

 protected:
  ~AcceptEvents() = default;
};

class Listener {
 public:
  // Stops accepting and closes the descriptor.
  virtual void close() = 0;

 protected:
  ~Listener() = default;
};

// A deadline in the loop's wheel (10 ms steps). Embedded in its owner; not movable. Scheduling and
// cancelling are O(1); moving a deadline further away, the common case, writes one word.
class Timer {
 public:
  using Callback = void (*)(void* owner);
  Timer(Callback on_expired, void* owner) : on_expired_(on_expired), owner_(owner) {}
  ~Timer() { unlink(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  [[nodiscard]] bool is_scheduled() const { return next_ != nullptr; }

 private:
  friend class TimerWheel;
  Timer() : Timer(nullptr, nullptr) {}  // the head of a list
  void unlink() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

  Callback on_expired_;
  void* owner_;
  std::int64_t deadline_ms_ = 0;
  std::int64_t filed_ms_ = 0;  // the deadline that its place in the wheel stands for
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
};

enum class Backend { io_uring, epoll };

// Work that is put off until all of a turn's events have been told, so that what they asked for is
// done at once.
class TurnEnd {
 public:
  virtual void on_turn_end() = 0;

 protected:
  ~TurnEnd() = default;
};

struct LoopOptions {
  // Not set: io_uring where the kernel allows it, else epoll.
  std::optional<Backend> backend;
  std::uint32_t buffer_bytes = 16384;
  // io_uring: blocks lent to the kernel at a time to receive into; a power of two.
  std::uint32_t receive_ring_blocks = 256;
};

class Loop {
 public:
  // "NoIoUring" with the reason, where io_uring was asked for and cannot be had.
  [[nodiscard]] static Result<std::unique_ptr<Loop>> create(const LoopOptions& options);
  virtual ~Loop() = default;

  [[nodiscard]] virtual Backend backend() const = 0;

  // Takes a connected, non-blocking socket. Receiving is off until set_receiving(true).
  virtual Stream* adopt(Fd socket, StreamEvents* events) = 0;
  // Connects a non-blocking socket; on_connected or on_error follows.
  virtual Stream* connect(Fd socket, const Address& to, StreamEvents* events) = 0;
  // Accepts on a listening socket, non-blocking.
  virtual Listener* listen(Fd socket, AcceptEvents* events) = 0;

  virtual void schedule(Timer& timer, std::int64_t delay_ms) = 0;  // again: moves the deadline
  virtual void cancel(Timer& timer) = 0;

  // Calls `what` once: at the end of this turn, before what is queued goes out, or of the next one
  // (which then does not wait) where that has been passed. It must live until then, or until the
  // loop runs no more.
  virtual void at_turn_end(TurnEnd& what) = 0;

  // Any thread: runs `task` on the loop's thread in its next turn.
  virtual void post(std::function<void()> task) = 0;

  // An empty buffer of the loop's block size to write into; one is always had.
  [[nodiscard]] virtual Buffer buffer() = 0;

  // Whose blocks buffer() gives, for queues of them.
  [[nodiscard]] virtual BufferPool& pool() = 0;

  // Bytes of the blocks that are in use: received or to be sent, not those lent to the kernel.
  [[nodiscard]] virtual std::size_t buffered_bytes() const = 0;

  // Monotonic milliseconds and microseconds, of one reading a turn.
  [[nodiscard]] virtual std::int64_t now_ms() const = 0;
  [[nodiscard]] virtual std::int64_t now_us() const = 0;

  // Turns until stop(). Call on the thread that uses the loop.
  virtual void run() = 0;
  virtual void stop() = 0;  // any thread
};

}  // namespace weir::net
