// The event loop on io_uring: the loop, its streams and listeners. For uring_*.cpp alone.
//
// One ring a thread (single issuer, deferred task running): receives and accepts are multishot,
// data lands in blocks lent to the kernel through a provided-buffer ring, and all requests of a
// turn go to the kernel in the one call that waits for the next completions.
//
// Life times: a completion carries the pointer of its stream with the operation in the low bits.
// Every operation is counted (`pending_`) and ends exactly once, so a stream is freed when it is
// closed and nothing is pending; no completion can meet a freed stream, and a descriptor number
// that is used again cannot be confused. Source: platform reference §7.
#pragma once

#include <liburing.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/slot_list.hpp"
#include "net/closing_list.hpp"
#include "net/loop_base.hpp"
#include "net/piping.hpp"
#include "net/send_queue.hpp"

namespace weir::net {

class UringLoop;

enum class Operation : std::uint64_t {
  ignore,
  receive,
  send,
  try_send,
  connect,
  accept,
  wake,
  poll_source,
  poll_sink
};
inline constexpr std::uint64_t operation_mask = 15;
// The one group of provided buffers.
inline constexpr int receive_group = 0;

class alignas(16) UringStream final : public Stream {
 public:
  UringStream(UringLoop& loop, Fd fd, StreamEvents* events);

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
  [[nodiscard]] bool is_flushing() const { return phase_ == Phase::flushing; }

  void start_connecting(const Address& to);
  void on_received(int result, std::uint32_t flags);
  void on_sent(int result);
  void on_try_refused(int result);
  void on_connected(int result);
  void on_polled(Operation operation);
  // After the turn's completions: what was tried and not refused has gone out.
  void conclude_try();
  // End of the turn: hands the kernel what is to be sent or received.
  void submit();
  void finish();
  [[nodiscard]] bool is_retired() const { return retired_; }

  bool in_dirty_list = false;
  std::uint32_t slot = 0;
  std::uint32_t closing_place = ClosingList<UringStream>::no_place;

 private:
  enum class Phase : std::uint8_t { connecting, open, flushing, lingering, closing };

  void make_dirty();
  void submit_receive();
  void submit_send();
  void fail(int error);
  void after_flush();
  void after_sent(std::size_t bytes);
  void operation_ended();
  void take(Buffer data);
  void deliver_held();
  void pump();
  void pass_by(Buffer data);
  void end_piping();
  void poll(Operation operation);

  UringLoop& loop_;
  StreamEvents* events_;
  SendQueue queue_;
  std::vector<Buffer> held_;        // arrived while paused, before the cancellation took effect
  std::unique_ptr<Piping> piping_;  // of a source
  // The other end: the sink of a source, the source of a sink. One pipe at a time each way.
  UringStream* pipe_sink_ = nullptr;
  UringStream* pipe_source_ = nullptr;
  Fd fd_;
  std::uint32_t lingered_bytes_ = 0;
  std::uint8_t single_receives_ = 0;  // to come before receives are multishot again
  std::uint8_t pending_ = 0;          // operations that have not ended
  Phase phase_ = Phase::open;
  bool receiving_ = false;
  bool receive_armed_ = false;
  bool receive_cancelled_ = false;
  bool send_under_way_ = false;
  bool is_trying_ = false;  // and that send is one that ends within the submit
  bool must_wait_ = false;  // the socket took less than it was given: the next send waits for it
  bool source_polled_ = false;
  bool sink_polled_ = false;
  bool ended_ = false;  // the peer's FIN has come
  bool end_told_ = false;
  bool shutdown_wanted_ = false;
  bool linger_ = false;
  bool retired_ = false;
};

class alignas(16) UringListener final : public Listener {
 public:
  UringListener(UringLoop& loop, Fd fd, AcceptEvents* events);
  void close() override;
  void arm();
  void on_accepted(int result, std::uint32_t flags);

  std::uint32_t slot = 0;

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
  explicit UringLoop(const LoopOptions& options) : LoopBase(options), closing_(*this) {}
  ~UringLoop() override;
  Status open(const LoopOptions& options);

  [[nodiscard]] Backend backend() const override { return Backend::io_uring; }
  [[nodiscard]] std::size_t buffered_bytes() const override {
    return (pool_.blocks_total() - pool_.blocks_free() - lent_) * pool_.block_bytes();
  }
  Stream* adopt(Fd socket, StreamEvents* events) override;
  Stream* connect(Fd socket, const Address& to, StreamEvents* events) override;
  Listener* listen(Fd socket, AcceptEvents* events) override;
  void run() override;

  // A submission entry; submits what is there when the queue is full.
  io_uring_sqe* entry();
  static void tag(io_uring_sqe* sqe, const void* owner, Operation operation) {
    io_uring_sqe_set_data64(
        sqe, reinterpret_cast<std::uint64_t>(owner) | static_cast<std::uint64_t>(operation));
  }
  // Space for a send's pieces that lives until the turn's submission.
  msghdr* message(SendQueue& queue);
  const Address& keep_until_submitted(const Address& address) {
    return addresses_.emplace_back(address);
  }
  void cancel_operation(const void* owner, Operation operation);
  void close_descriptor(Fd fd);

  void add_dirty(UringStream* stream) { dirty_.push_back(stream); }
  // It has more to do, but others come first.
  void add_next_turn(UringStream* stream) { next_turn_.push_back(stream); }
  // `is_awaited`: somebody goes on when it has gone out, so the turn does not wait for other
  // events.
  void add_tried(UringStream* stream, bool is_awaited) {
    tried_.push_back(stream);
    is_try_awaited_ |= is_awaited;
  }
  void retire(UringStream* stream) { streams_.retire(stream); }
  void retire(UringListener* listener) { listeners_.retire(listener); }
  void block_used() { --lent_; }
  [[nodiscard]] ClosingList<UringStream>& closing() { return closing_; }

 private:
  struct Message {
    msghdr header;
    std::array<iovec, send_pieces_max> pieces;
  };

  void lend_blocks();
  void arm_wake();
  void submit_and_wait();
  void reap();
  void reap_overflow();
  void handle_refusal(const io_uring_cqe& cqe);
  void handle(const io_uring_cqe& cqe);
  void submit_streams();
  void conclude_tries();
  void free_dead();

  io_uring ring_{};
  bool ring_open_ = false;
  io_uring_buf_ring* buffer_ring_ = nullptr;
  std::uint32_t ring_blocks_ = 0;
  std::uint32_t lent_ = 0;
  bool wake_armed_ = false;
  bool is_try_awaited_ = false;
  std::deque<Message> messages_;  // stable addresses; reused each turn
  std::size_t messages_used_ = 0;
  std::deque<Address> addresses_;
  SlotList<UringStream> streams_;
  SlotList<UringListener> listeners_;
  std::vector<UringStream*> dirty_, next_turn_, tried_;
  ClosingList<UringStream> closing_;
};

}  // namespace weir::net
