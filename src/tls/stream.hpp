// TLS over a stream of the event loop: itself a net::Stream, of what is inside.
//
// on_connected says that the handshake is over; on_error before that, that it failed (failure()
// says why). What is sent in one turn is encrypted at its end, so that a head and the body behind
// it share a record. Received blocks are decrypted from where the kernel put them; records are
// written straight into the blocks that are sent. No block is held while nothing is under way.
//
// Life times are those of the loop's streams: valid until close(), after which Streams frees it.
// Handshakes wait in a queue of Streams that takes a bounded time a turn, since one costs as much
// as many requests: connections that are established are served in between. Loop thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "base/slot_list.hpp"
#include "net/loop.hpp"
#include "net/send_queue.hpp"
#include "tls/client_context.hpp"
#include "tls/server_context.hpp"

namespace weir::tls {

class Streams;

// From the first byte of a connection until its handshake is over.
inline constexpr std::int64_t handshake_timeout_ms = 10'000;
// At the end of a turn handshakes go on for no longer than this (the last one begun is finished).
inline constexpr std::int64_t handshakes_us_a_turn = 500;

class TlsStream final : public net::Stream, private net::StreamEvents {
 public:
  // By Streams alone.
  TlsStream(Streams& streams, net::Stream* inner, ServerContextPtr context,
            net::StreamEvents* events);
  TlsStream(Streams& streams, net::Stream* inner, ClientContextPtr context,
            net::StreamEvents* events);
  ~TlsStream();

  void set_receiving(bool on) override;
  void send(net::Buffer data) override;
  void send_copy(std::string_view bytes) override;
  [[nodiscard]] std::size_t queued_bytes() const override {
    return plain_.bytes() + inner_->queued_bytes();
  }
  [[nodiscard]] std::uint64_t bytes_in_all() const override { return plain_.bytes_in_all(); }
  [[nodiscard]] bool pipe_to(net::Stream&, std::uint64_t) override { return false; }
  void shutdown_send() override;
  // now: a peer to which nothing is queued is told the end nevertheless (close_notify).
  void close(net::Close how = net::Close::now) override;
  void set_events(net::StreamEvents* events) override { events_ = events; }
  [[nodiscard]] int fd() const override { return inner_->fd(); }
  [[nodiscard]] bool is_socket() const override { return false; }

  // The handshake is over, and nothing has failed since.
  [[nodiscard]] bool is_open() const { return state_ == State::open; }

  // ---- what was agreed on; once the handshake is over
  [[nodiscard]] std::string_view version() const;      // TLSv1.3
  [[nodiscard]] std::string_view cipher() const;       // OpenSSL's name
  [[nodiscard]] std::string_view group() const;        // of the key exchange: x25519; may be empty
  [[nodiscard]] std::string_view protocol() const;     // by ALPN; empty: none
  [[nodiscard]] std::string_view server_name() const;  // by SNI, as the client wrote it
  [[nodiscard]] bool is_resumed() const;
  // Of a server whose handshake was not a resumption: the certificate's ARN; else empty.
  [[nodiscard]] std::string_view certificate_arn() const;
  // Of a server: the server name is one of a certificate's.
  [[nodiscard]] bool is_name_matched() const;
  [[nodiscard]] std::int64_t handshake_us() const { return handshake_us_; }
  // Why there is an error, in OpenSSL's words; empty: the stream beneath failed.
  [[nodiscard]] std::string_view failure() const { return failure_; }

  std::uint32_t slot = 0;

 private:
  friend class Streams;
  enum class State : std::uint8_t { connecting, shaking_hands, open, failed };

  void on_connected() override;
  void on_received(net::Buffer data) override;
  void on_end() override;
  void on_drained() override;
  void on_error(int error) override;

  TlsStream(Streams& streams, net::Stream* inner, SslPtr ssl, net::StreamEvents* events);
  void begin();
  void shake_hands();
  void finish_handshake();
  void work();  // at the end of a turn
  void make_dirty();
  void deliver();
  enum class Filled : std::uint8_t { full, drained, ended, failed };
  Filled fill(net::Buffer& block);
  void encrypt();
  void say_goodbye();
  void fail(int error);
  [[nodiscard]] bool is_closed() const { return closed_; }

  static BIO_METHOD* bio_method();
  static int read_bio(BIO* bio, char* out, int size);
  static int write_bio(BIO* bio, const char* data, int size);
  static long control_bio(BIO* bio, int command, long number, void* pointer);

  Streams& streams_;
  net::Stream* inner_;
  net::StreamEvents* events_;
  ServerContextPtr server_context_;
  HandshakeNotes notes_;
  SslPtr ssl_;
  net::BufferQueue received_;  // not decrypted yet
  net::SendQueue plain_;       // not encrypted yet
  net::Timer timer_;
  std::string_view failure_;
  std::int64_t begun_us_ = 0;
  std::int64_t handshake_us_ = 0;
  State state_ = State::connecting;
  bool is_server_;
  bool receiving_ = false;
  bool delivering_ = false;
  bool inner_ended_ = false;
  bool inner_failed_ = false;
  bool end_told_ = false;
  bool shutdown_wanted_ = false;
  bool said_goodbye_ = false;
  bool closed_ = false;
  bool in_dirty_list_ = false;
  bool in_handshake_queue_ = false;
};

// The TLS streams of one loop, which outlives it.
class Streams final : public net::TurnEnd {
 public:
  explicit Streams(net::Loop& loop) : loop_(loop) {}
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  // The other side begins. `inner` is the new stream's from here on. nullptr: no memory; `inner`
  // has been closed.
  [[nodiscard]] TlsStream* accept(net::Stream* inner, ServerContextPtr context,
                                  net::StreamEvents* events);
  // This side begins, once `inner` (under way) is connected.
  [[nodiscard]] TlsStream* connect(net::Stream* inner, ClientContextPtr context,
                                   net::StreamEvents* events);
  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] std::size_t size() const { return streams_.size(); }

 private:
  friend class TlsStream;
  void on_turn_end() override;
  void add_dirty(TlsStream& stream);
  void queue_handshake(TlsStream& stream);
  void retire(TlsStream& stream);
  void ask_for_turn_end();
  void run_handshakes();

  net::Loop& loop_;
  SlotList<TlsStream> streams_;
  std::vector<TlsStream*> dirty_, working_;
  std::deque<TlsStream*> handshakes_;
  bool turn_end_asked_ = false;
};

}  // namespace weir::tls
