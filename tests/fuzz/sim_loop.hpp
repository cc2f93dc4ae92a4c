// An event loop in memory: what would come from the kernel comes from a seeded generator.
//
// Each step lets one thing happen at one stream: a connection is made, a piece of what its peer
// sent arrives, a piece of its queue leaves, an end is seen. Which stream and how large a piece
// follow from the seed alone, and time passes only when told to, so that every run can be repeated.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/loop.hpp"
#include "net/timer_wheel.hpp"

namespace weir::net::test {

class SimLoop;
class SimStream;

// The other end of a stream. It may call arrive() and arrive_end() of the stream at any time.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void on_bytes(SimStream& stream, std::string_view bytes) = 0;
  // No more bytes come: a FIN, or the end of the connection.
  virtual void on_end(SimStream& stream) = 0;
};

class SimStream final : public Stream {
 public:
  SimStream(SimLoop& loop, Fd fd, StreamEvents* events, Peer& peer, bool connects)
      : loop_(loop), fd_(std::move(fd)), events_(events), peer_(peer), connecting_(connects) {}

  // ---- for the peer
  void arrive(std::string_view bytes) { inbox_ += bytes; }
  void arrive_end() { peer_ended_ = true; }
  // Bytes that arrived and have been given to the owner.
  [[nodiscard]] std::uint64_t bytes_delivered() const { return delivered_; }

  // ---- for the loop
  // Lets one thing happen; false: there is none.
  bool step();
  [[nodiscard]] bool is_gone() const { return closed_ && outbox_.empty(); }

  void set_receiving(bool on) override { receiving_ = on; }
  void send(Buffer data) override { send_copy(data.view()); }
  void send_copy(std::string_view bytes) override {
    outbox_ += bytes;
    sent_in_all_ += bytes.size();
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return outbox_.size(); }
  [[nodiscard]] std::uint64_t bytes_in_all() const override { return sent_in_all_; }
  [[nodiscard]] bool pipe_to(Stream&, std::uint64_t) override { return false; }
  void shutdown_send() override { ends_ = true; }
  void close(Close how) override;
  void set_events(StreamEvents* events) override { events_ = events; }
  [[nodiscard]] int fd() const override { return fd_.get(); }

 private:
  bool send_piece();
  bool receive_piece();
  void tell_end();

  SimLoop& loop_;
  Fd fd_;
  StreamEvents* events_;
  Peer& peer_;
  std::string inbox_, outbox_;
  std::uint64_t delivered_ = 0;
  std::uint64_t sent_in_all_ = 0;
  bool connecting_;
  bool receiving_ = false;
  bool peer_ended_ = false;
  bool told_of_end_ = false;  // the owner
  bool ends_ = false;         // a FIN follows the queue
  bool end_told_ = false;     // to the peer
  bool closed_ = false;       // by the owner; the queue may still leave
};

class SimLoop final : public Loop {
 public:
  // Gives the peer of a connection that the owner makes.
  using Connector = std::function<Peer&()>;
  SimLoop(std::uint64_t seed, std::size_t piece_max, Connector connector);
  ~SimLoop() override;

  // A connection comes in at the one listener.
  SimStream& accept(Peer& peer);
  // Lets things happen until none is left; false: there are more than `steps_max`.
  bool settle(std::size_t steps_max);
  void pass(std::int64_t ms);
  [[nodiscard]] std::size_t streams() const { return streams_.size(); }
  // 1 to `max`.
  [[nodiscard]] std::size_t draw(std::size_t max);
  [[nodiscard]] std::size_t draw_piece() { return draw(piece_max_); }

  [[nodiscard]] Backend backend() const override { return Backend::epoll; }
  Stream* adopt(Fd socket, StreamEvents* events) override;
  Stream* connect(Fd socket, const Address& to, StreamEvents* events) override;
  Listener* listen(Fd socket, AcceptEvents* events) override;
  void schedule(Timer& timer, std::int64_t delay_ms) override {
    wheel_.schedule(timer, now_ms() + delay_ms);
  }
  void cancel(Timer& timer) override { wheel_.cancel(timer); }
  void post(std::function<void()> task) override { task(); }
  void at_turn_end(TurnEnd& what) override { turn_ends_.push_back(&what); }
  [[nodiscard]] BufferPool& pool() override { return pool_; }
  [[nodiscard]] Buffer buffer() override { return pool_.acquire(); }
  [[nodiscard]] std::size_t buffered_bytes() const override {
    return (pool_.blocks_total() - pool_.blocks_free()) * pool_.block_bytes();
  }
  [[nodiscard]] std::int64_t now_ms() const override { return now_us_ / 1000; }
  [[nodiscard]] std::int64_t now_us() const override { return now_us_; }
  void run() override {}
  void stop() override {}

 private:
  class SimListener final : public Listener {
   public:
    void close() override {}
  };
  bool step();
  bool step_stream();
  bool end_turn();
  SimStream& add(Fd socket, StreamEvents* events, Peer& peer, bool connects);

  BufferPool pool_;
  TimerWheel wheel_;
  Connector connector_;
  SimListener listener_;
  AcceptEvents* acceptor_ = nullptr;
  Peer* accepted_peer_ = nullptr;
  std::vector<std::unique_ptr<SimStream>> streams_;
  std::vector<TurnEnd*> turn_ends_;
  std::uint64_t state_;
  std::size_t piece_max_;
  std::int64_t now_us_;
};

}  // namespace weir::net::test
