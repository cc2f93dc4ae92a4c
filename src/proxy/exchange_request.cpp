// The request side of an exchange: the body on its way to the target, the client's end, and time
// limits.
#include <array>
#include <utility>

#include "http/writer.hpp"
#include "net/socket.hpp"
#include "proxy/client_connection.hpp"
#include "proxy/exchange.hpp"
#include "proxy/limits.hpp"
#include "proxy/target_pool.hpp"
#include "proxy/worker.hpp"

namespace weir::proxy {

using http::Framing;
using http::ParseState;

bool Exchange::takes_body() const {
  if (request_side_ == RequestSide::done) return false;
  return target_ != nullptr && target_->is_connected();
}

net::Buffer Exchange::take_body(net::Buffer data) {
  touch();
  switch (request_side_) {
    case RequestSide::length:
      return take_length(std::move(data));
    case RequestSide::chunked:
      return take_chunked(std::move(data));
    case RequestSide::tunnel:
      target_->stream().send(std::move(data));
      after_request_bytes();
      return {};
    case RequestSide::done:
      break;
  }
  return data;
}

net::Buffer Exchange::take_length(net::Buffer data) {
  net::Buffer rest;
  if (data.size() > request_left_) {
    const auto length = static_cast<std::size_t>(request_left_);
    rest = worker_.loop().buffer();
    rest.append(data.view().substr(length));
    data.set_size(length);
  }
  request_left_ -= data.size();
  note_sent(data.view());
  target_->stream().send(std::move(data));
  if (request_left_ == 0) request_side_ = RequestSide::done;
  after_request_bytes();
  return rest;
}

void Exchange::pipe_request() {
  if (request_side_ != RequestSide::length || request_left_ < piped_body_bytes_min) return;
  if (!is_past_replay_ || mirror_ != nullptr || !takes_body()) return;
  static_cast<void>(client_->stream().pipe_to(target_->stream(), request_left_));
}

void Exchange::on_client_piped(std::size_t bytes) {
  touch();
  request_left_ -= bytes;
  if (request_left_ == 0) request_side_ = RequestSide::done;
}

net::Buffer Exchange::take_chunked(net::Buffer data) {
  std::array<char, http::chunk_size_line_bytes_max> line;
  const auto send = [this](std::string_view bytes) {
    note_sent(bytes);
    target_->stream().send_copy(bytes);
  };
  while (!data.empty()) {
    const auto step = request_decoder_.step(data.view());
    if (fills_rest(data, step.content)) {
      send(http::chunk_size_line(step.content.size(), line));
      note_sent(step.content);
      data.consume(data.size() - step.content.size());
      target_->stream().send(std::exchange(data, {}));
      send(http::chunk_end);
      break;
    }
    if (!step.content.empty()) {
      send(http::chunk_size_line(step.content.size(), line));
      send(step.content);
      send(http::chunk_end);
    }
    if (step.state == ParseState::refused) {
      keep_client_ = false;
      fail(400);
      return {};
    }
    data.consume(step.consumed);
    if (step.state == ParseState::done) {
      send("0\r\n");
      send(request_decoder_.trailers());
      send("\r\n");
      request_side_ = RequestSide::done;
      break;
    }
  }
  after_request_bytes();
  return data;
}

void Exchange::after_request_bytes() {
  if (target_->stream().queued_bytes() > worker_.queued_bytes_high()) client_->pause_body();
}

void Exchange::on_target_drained() { client_->resume_body(); }

void Exchange::on_client_end() {
  if (request_side_ == RequestSide::tunnel) {
    request_side_ = RequestSide::done;
    if (response_side_ == ResponseSide::tunnel_ended) return complete();
    return target_->stream().shutdown_send();
  }
  // A client may close its sending side and wait for the answer; but not within the request.
  keep_client_ = false;
  client_half_closed_ = true;
  if (request_side_ == RequestSide::done) return;
  if (response_side_ != ResponseSide::head) return abandon();
  fail(400);  // reference §5.9
}

void Exchange::on_client_gone() {
  release_target(false);
  clear();
}

// Reference §4.8: the client gets 502, or notices that the response is cut off.
void Exchange::on_registration_ended() {
  if (!use_.is_over()) return;
  if (response_side_ != ResponseSide::head) return abandon();
  fail(502);
}

void Exchange::on_client_drained() {
  if (target_ != nullptr) target_->stream().set_receiving(true);
}

void Exchange::on_timeout() {
  if (waiting_ != nullptr) return touch();  // the fetcher has a limit of its own
  if (target_ != nullptr && !target_->is_connected()) {
    blame_target("did not take the connection in time");
    if (try_again(TryEnd::not_connected)) return;
    use_.failed(worker_.loop().now_ms());
    return fail(504);
  }
  if (has_progress()) return touch();
  if (response_side_ == ResponseSide::tunnel || response_side_ == ResponseSide::tunnel_ended)
    return complete();
  if (response_side_ != ResponseSide::head) {
    if (client_->stream().queued_bytes() == 0) blame_target("stopped within its answer");
    return abandon();
  }
  // Silent is a client whose body we would take, not one whose target takes no more of it.
  if (request_side_ != RequestSide::done && !client_->is_body_paused() &&
      net::bytes_unread(client_->stream().fd()) == 0)
    return fail(408);
  use_.failed(worker_.loop().now_ms());
  blame_target("did not answer in time");
  fail(504);
}

// A peer that reads slowly is not idle: bytes that it has acknowledged since the last look count as
// activity. Looked at only where something is queued to it or may be on its way through a pipe.
bool Exchange::has_progress() {
  std::uint64_t acknowledged = 0;
  const auto look_at = [&acknowledged](net::Stream& stream, std::uint64_t left) {
    if (stream.queued_bytes() > 0 || left >= piped_body_bytes_min)
      acknowledged += net::bytes_acknowledged(stream.fd());
  };
  look_at(client_->stream(), response_side_ == ResponseSide::length ? response_left_ : 0);
  if (target_ != nullptr)
    look_at(target_->stream(), request_side_ == RequestSide::length ? request_left_ : 0);
  return std::exchange(acknowledged_, acknowledged) != acknowledged && acknowledged != 0;
}

}  // namespace weir::proxy
