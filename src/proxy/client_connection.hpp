// A client's connection: bytes in, one exchange at a time, bytes out.
//
// Received bytes wait in a window until a head is complete or the exchange under way takes them as
// its body; what a client sends ahead (pipelining) waits there too and is answered in order. A
// connection without a request holds this struct and nothing else.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/loop.hpp"
#include "proxy/client_origin.hpp"
#include "proxy/inbox.hpp"
#include "proxy/local_ref.hpp"
#include "telemetry/cells.hpp"

namespace weir::proxy {

class Exchange;
class Worker;

class ClientConnection final : public net::StreamEvents {
 public:
  // The stream is the connection's from here on.
  ClientConnection(Worker& worker, net::Stream* stream, const ClientOrigin& origin);

  [[nodiscard]] net::Stream& stream() { return *stream_; }
  [[nodiscard]] const ClientOrigin& origin() const { return origin_; }
  [[nodiscard]] std::uint16_t bound_port() const { return origin_.bound_port; }
  [[nodiscard]] std::string_view ip() const { return origin_.ip(); }
  [[nodiscard]] std::uint16_t port() const { return origin_.port; }
  [[nodiscard]] std::int64_t accepted_ms() const { return origin_.accepted_us / 1000; }
  [[nodiscard]] std::uint64_t number() const { return origin_.number; }
  [[nodiscard]] bool is_ipv6() const { return origin_.is_ipv6(); }
  // Of the request under way: when its first byte came, and when the connection did, which is known
  // of the first request only (0 else). Microseconds of the loop's clock.
  [[nodiscard]] std::int64_t head_begun_us() const {
    return inbox_ == nullptr ? 0 : inbox_->head_begun_us;
  }
  [[nodiscard]] std::int64_t accepted_us() const { return is_first_ ? origin_.accepted_us : 0; }
  // Received and not dealt with; while an exchange begins, from its head's first byte on.
  [[nodiscard]] std::string_view bytes_received() const { return waiting(); }
  [[nodiscard]] std::uint64_t bytes_waiting() const { return waiting().size(); }
  // Of the request under way: the bytes of its body taken from the client, and all sent to it.
  [[nodiscard]] std::uint64_t body_bytes_taken() const;
  [[nodiscard]] std::uint64_t bytes_sent_since_head() const {
    return stream_->bytes_in_all() - (inbox_ == nullptr ? 0 : inbox_->sent_before);
  }
  // The target takes no more of the body for now; the client is not to be blamed for its silence.
  [[nodiscard]] bool is_body_paused() const { return body_paused_; }

  // From its exchange: the response has been handed to the stream. `request_complete` false: bytes
  // of the request may still come, so the connection ends.
  void finished(bool keep_alive, bool request_complete);
  // From its exchange: the response cannot be completed; the client must notice.
  void abort();
  // From its exchange: it can take body bytes (again), or wants none for a while.
  void resume_body();
  void pause_body();
  void set_idle_timeout(std::int64_t timeout_ms) {
    idle_timeout_ms_ = static_cast<std::uint32_t>(timeout_ms);
  }
  // Something happened: the idle timeout begins anew.
  void touch();
  // The next thing must happen within this time.
  void expect_within(std::int64_t timeout_ms);

  std::uint32_t slot = 0;

 private:
  void on_received(net::Buffer data) override;
  void on_end() override;
  void on_drained() override;
  void on_piped(std::size_t bytes) override;
  void on_error(int error) override;
  void on_timeout();

  [[nodiscard]] std::string_view waiting() const {
    return inbox_ == nullptr ? std::string_view{} : inbox_->window.view();
  }
  void process();
  [[nodiscard]] bool may_receive() const;
  void parse_head();
  void give_body();
  void refuse(int status);
  void give_inbox_back();
  void close(net::Close how);

  Worker& worker_;
  net::Stream* stream_;
  Exchange* exchange_ = nullptr;
  Inbox* inbox_ =
      nullptr;  // lent by the worker; there while a byte waits or a request is under way
  net::Timer timer_;
  LocalRef<telemetry::BalancerCells> cells_;  // that the connection is counted in
  ClientOrigin origin_;
  std::uint32_t idle_timeout_ms_;  // 4000 s at most
  bool is_first_ = true;           // no request has been answered yet
  bool processing_ = false;
  bool body_paused_ = false;
  bool ended_ = false;  // the client's FIN has come
  bool closed_ = false;
};

}  // namespace weir::proxy
