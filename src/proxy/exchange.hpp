// One request with its response, from the parsed head to the last byte.
//
// The phases, in order: classify → route → choose target → connect → send request → receive
// response → finish. Both directions run at once (a target may answer before the body is sent, a
// client may vanish at any moment), so there are two small state machines, the request side and the
// response side, and one place that decides the end: complete() for a whole response, fail() for an
// answer of the load balancer's own, abandon() where nobody is left to answer.
//
// After any of these three the exchange is back in its worker's pool: return at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "auth/key_sets.hpp"
#include "auth/token.hpp"
#include "http/own_response.hpp"
#include "http/parser.hpp"
#include "net/buffer.hpp"
#include "proxy/byte_window.hpp"
#include "proxy/compression.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/local_ref.hpp"
#include "proxy/mirror.hpp"
#include "proxy/serving.hpp"
#include "proxy/stickiness.hpp"
#include "proxy/target_use.hpp"
#include "telemetry/request_record.hpp"

namespace weir::proxy {

class ClientConnection;
class TargetConnection;
class Worker;

// Content of a chunk that is large and the rest of its block: the block goes on, not a copy of it.
[[nodiscard]] inline bool fills_rest(const net::Buffer& block, std::string_view content) {
  constexpr std::size_t passed_on_bytes_min = 4096;
  return content.size() >= passed_on_bytes_min &&
         content.data() + content.size() == block.data() + block.size();
}

class Exchange {
 public:
  explicit Exchange(Worker& worker);

  // `head` is valid during the call only.
  void begin(ClientConnection& client, const http::RequestHead& head);

  // Client side.
  [[nodiscard]] bool takes_body() const;
  // Returns what lies behind the body's end.
  [[nodiscard]] net::Buffer take_body(net::Buffer data);
  // The rest of a large body goes by a pipe, where it can; call when nothing received is left over.
  void pipe_request();
  void on_client_piped(std::size_t bytes);
  void on_client_end();
  void on_client_gone();
  void on_client_drained();
  void on_timeout();

  // Target side.
  void on_target_connected();
  void on_target_received(net::Buffer data);
  void on_target_piped(std::size_t bytes);
  void on_target_end();
  void on_target_error(int error);
  void on_target_drained();
  // Some registrations have ended, perhaps that of the target in use.
  void on_registration_ended();

  // The worker's: the keys that this exchange waits for.
  void on_keys(const auth::KeyAnswer& answer);

  // What becomes the access log line and moves the counters; every phase writes what it knows.
  [[nodiscard]] telemetry::RequestRecord& record() { return record_; }

 private:
  enum class RequestSide : std::uint8_t { length, chunked, tunnel, done };
  enum class ResponseSide : std::uint8_t {
    head,
    none,
    length,
    chunked,
    until_close,
    tunnel,
    tunnel_ended,  // by the target; the client may still send
  };

  // classify, route
  [[nodiscard]] bool is_blocked(const http::RequestHead& head);
  [[nodiscard]] bool is_over_rate(const http::RequestHead& head, std::uint32_t load_balancer);
  void start_request_side(const http::RequestHead& head);
  void act(const http::RequestHead& head, const routing::Listener& listener);
  void perform(const routing::Choice& choice, const http::RequestHead& head);
  // authenticate (exchange_auth.cpp): before the action, which follows where the request may pass.
  void authenticate(const routing::Choice& choice, const http::RequestHead& head);
  void verify(const routing::Choice& choice, const auth::Token& token,
              const auth::KeyAnswer& answer, const http::RequestHead& head);
  void await_keys(const routing::Choice& choice, auth::Token token, const http::RequestHead& head);
  void refuse_token(int status, std::string_view reason);
  [[nodiscard]] bool transform(const routing::Transforms& transforms,
                               const http::RequestHead& head);
  void redirect(const model::RedirectAction& action, const http::RequestHead& head,
                const routing::Listener& listener);
  void answer_fixed(const model::FixedResponseAction& action);
  void forward(const routing::Forward& action, const http::RequestHead& head,
               const routing::Listener& listener);
  [[nodiscard]] std::optional<std::uint32_t> choose_group(const routing::Forward& action,
                                                          const http::RequestHead& head);
  [[nodiscard]] std::optional<std::uint32_t> choose_first_target(const http::RequestHead& head);
  void write_request(const http::RequestHead& head, const routing::Listener& listener);
  [[nodiscard]] bool sends_tls_headers(const routing::Listener& listener) const;
  // choose target, connect, send
  // Why the target's answer is none, for the log: `why` is a literal.
  void blame_target(std::string_view why, int error = 0);
  void log_trouble(int status);
  [[nodiscard]] balancing::ChoiceFacts choice_facts() const;
  enum class Connections : std::uint8_t { pooled, fresh };
  void connect(std::uint32_t target_index, Connections which);
  // try again (exchange_retry.cpp)
  enum class TryEnd : std::uint8_t { not_connected, lost, status, late };
  // True: another try is under way, or its end has already been dealt with.
  [[nodiscard]] bool try_again(TryEnd end, int error = 0);
  [[nodiscard]] bool is_replay(TryEnd end, int error) const;
  [[nodiscard]] bool is_worth_a_retry(TryEnd end) const;
  [[nodiscard]] bool take_from_budget();
  // Of bytes that are about to be sent to the target.
  void note_sent(std::string_view bytes);
  void keep_for_replay(std::string_view bytes);
  void limit_try();
  void end_tries();
  // request body
  [[nodiscard]] net::Buffer take_length(net::Buffer data);
  [[nodiscard]] net::Buffer take_chunked(net::Buffer data);
  void after_request_bytes();
  // response
  void receive_head();
  void send_to_client(ByteWindow& bytes);
  // weir.compression.*: takes a compressor where the answer is to be compressed.
  void choose_encoding(http::ResponseHead& head);
  void start_response(const http::ResponseHead& head);
  [[nodiscard]] std::string_view stickiness_lines(const http::ResponseHead& head);
  void start_tunnel();
  void forward_response(net::Buffer data);
  void forward_length(net::Buffer data);
  void forward_chunked(net::Buffer data);
  void forward_until_close(net::Buffer data);
  void pipe_response();
  [[nodiscard]] bool send_chunk(std::string_view content);
  void send_block(net::Buffer data);
  [[nodiscard]] bool end_chunks(std::string_view trailers);
  void after_response_bytes();
  // finish
  void complete();
  void fail(int status);
  void abandon();
  void answer(http::OwnResponse& response);
  void release_target(bool reusable);
  [[nodiscard]] bool has_progress();
  void clear();
  void touch();

  // Of a request that waits for its provider's keys; its head's bytes are kept here meanwhile.
  struct Waiting {
    std::uint64_t ticket;
    routing::Choice choice;
    auth::Token token;
    std::string head;
  };

  Worker& worker_;
  ClientConnection* client_ = nullptr;
  TargetConnection* target_ = nullptr;
  TargetUse use_;  // of the target's load
  Stickiness stickiness_;
  LocalRef<Serving> serving_;
  const routing::Listener* listener_ = nullptr;
  const routing::LoadBalancer* load_balancer_ = nullptr;

  // As sent to the target, with the beginning of the body where that may be sent again; kept until
  // the response begins.
  ByteWindow request_head_;
  ByteWindow response_window_;  // of the target's head
  http::ChunkedDecoder request_decoder_, response_decoder_;
  http::ResponseParser response_parser_;
  telemetry::RequestRecord record_;
  routing::Transformed transformed_;
  std::uint64_t request_left_ = 0;
  std::uint64_t response_left_ = 0;
  std::uint64_t acknowledged_ = 0;  // by both peers, at the last timeout
  std::string_view trouble_;        // with the target, not yet logged
  int trouble_error_ = 0;
  TraceId trace_id_{};

  std::uint32_t group_ = 0;
  std::uint32_t target_index_ = 0;
  net::Timer try_timer_;
  std::unique_ptr<Waiting> waiting_;
  MirrorCopy* mirror_ = nullptr;                // nullptr: no copy, or no more
  std::unique_ptr<BodyCompressor> compressor_;  // nullptr: the body goes as it is
  int retries_ = 0;
  int interim_responses_ = 0;
  RequestSide request_side_ = RequestSide::done;
  ResponseSide response_side_ = ResponseSide::head;
  traffic::Encoding wanted_encoding_ = traffic::Encoding::identity;
  ResponseFraming client_framing_ = ResponseFraming::none;
  http::Method method_ = http::Method::get;
  http::Version client_version_ = http::Version::http_1_1;
  bool keep_client_ = true;
  bool keep_target_ = true;
  bool is_upgrade_ = false;
  bool is_reused_ = false;       // the target connection has served before
  bool response_begun_ = false;  // a byte of the target's answer has come
  bool is_past_replay_ = false;  // bytes have been sent that are not kept
  bool is_budgeted_ = false;     // the group's retry budget counts it
  bool is_retry_ = false;        // as a retry, too
  bool client_half_closed_ = false;
};

}  // namespace weir::proxy
