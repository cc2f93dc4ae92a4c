// The response side of an exchange: from the target's first byte to the last one for the client.
#include <array>

#include "http/writer.hpp"
#include "proxy/client_connection.hpp"
#include "proxy/exchange.hpp"
#include "proxy/limits.hpp"
#include "proxy/target_pool.hpp"
#include "proxy/worker.hpp"

namespace weir::proxy {

using http::Framing;
using http::ParseState;

void Exchange::on_target_received(net::Buffer data) {
  if (!response_begun_) record_.at.first_byte = worker_.loop().now_us();
  response_begun_ = true;
  touch();
  if (response_side_ != ResponseSide::head) {
    forward_response(std::move(data));
  } else {
    response_window_.add(std::move(data));
    receive_head();
  }
  pipe_response();
}

void Exchange::receive_head() {
  http::ResponseHead& head = worker_.response_head();
  for (;;) {
    const ParseState state = response_parser_.parse(response_window_.view(), method_, head);
    if (state == ParseState::need_more) return;
    if (state == ParseState::refused) {
      use_.failed(worker_.loop().now_ms());
      blame_target(response_parser_.detail());
      return fail(502);
    }
    response_parser_.restart();
    if (head.status >= 200) break;
    if (head.status == 101) {
      if (is_upgrade_) return start_tunnel();
      blame_target("switched protocols unasked");
      return fail(502);
    }
    if (++interim_responses_ > interim_responses_max) {
      blame_target("too many interim responses");
      return fail(502);
    }
    // 100 has been answered by us. The rest is for the client (RFC 9110 §15.2), where its version
    // knows interim responses.
    if (head.status != 100 && client_version_ == http::Version::http_1_1) {
      ByteWindow out;
      out.start(worker_.loop());
      write_interim_head(out, head);
      send_to_client(out);
    }
    response_window_.consume(head.head_bytes);
    if (response_window_.empty()) return;
  }
  if (serving_->retry_of(group_).is_on_status(head.status)) {
    use_.answered(head.status, worker_.loop().now_ms());
    if (try_again(TryEnd::status)) return;
  }
  if (load_balancer_->compression != nullptr) choose_encoding(head);
  start_response(head);
}

void Exchange::choose_encoding(http::ResponseHead& head) {
  if (!is_compressible(*load_balancer_->compression, head, method_)) return;
  add_vary(head);
  if (wanted_encoding_ == traffic::Encoding::identity || method_ == http::Method::head) return;
  compressor_ = worker_.compressors().take(wanted_encoding_);
  if (compressor_ != nullptr) compressor_->change(head);
}

void Exchange::send_to_client(ByteWindow& bytes) {
  bytes.drain(worker_.loop(),
              [this](net::Buffer block) { client_->stream().send(std::move(block)); });
}

void Exchange::start_response(const http::ResponseHead& head) {
  use_.answered(head.status, worker_.loop().now_ms());
  record_.elb_status = record_.target_status = head.status;
  record_.is_from_target = true;
  trouble_ = {};  // an earlier target's
  keep_target_ = keep_target_ && head.keep_alive;
  client_framing_ =
      compressor_ != nullptr ? ResponseFraming::chunked : response_framing(head, client_version_);
  if (client_framing_ == ResponseFraming::until_close) keep_client_ = false;
  // An answer before the request's end: what is left of the request is not waited for.
  if (request_side_ != RequestSide::done) keep_client_ = false;
  if (client_version_ != http::Version::http_0_9) {  // which gets the body alone
    ByteWindow out;
    out.start(worker_.loop());
    write_response_head(out, head, client_framing_, client_version_, !keep_client_,
                        listener_->response_headers, stickiness_lines(head));
    send_to_client(out);
  }
  worker_.loop().cancel(try_timer_);
  request_head_.clear();
  response_left_ = head.content_length;
  switch (head.framing) {
    case Framing::none:
      response_side_ = ResponseSide::none;
      break;
    case Framing::content_length:
      response_side_ = response_left_ > 0 ? ResponseSide::length : ResponseSide::none;
      break;
    case Framing::chunked:
      response_side_ = ResponseSide::chunked;
      break;
    case Framing::until_close:
      response_side_ = ResponseSide::until_close;
      keep_target_ = false;
      break;
  }
  response_window_.consume(head.head_bytes);
  if (response_side_ == ResponseSide::none) {
    if (!response_window_.empty()) keep_target_ = false;  // more than was announced
    return complete();
  }
  if (response_window_.empty()) return;
  response_window_.drain(worker_.loop(), [&](net::Buffer block) {
    // The window of a head is at most 32 KiB: the rest after a long one may be several blocks.
    if (response_side_ != ResponseSide::head) forward_response(std::move(block));
  });
}

std::string_view Exchange::stickiness_lines(const http::ResponseHead& head) {
  return stickiness_.response_lines(serving_->group(group_).target_group, target_index_, head,
                                    worker_.stickiness(), worker_.unix_seconds());
}

void Exchange::start_tunnel() {
  const http::ResponseHead& head = worker_.response_head();
  use_.answered(head.status, worker_.loop().now_ms());
  record_.elb_status = record_.target_status = head.status;
  record_.is_from_target = record_.is_websocket = true;
  ByteWindow out;
  out.start(worker_.loop());
  write_response_head(out, head, ResponseFraming::none, client_version_, false,
                      listener_->response_headers);
  send_to_client(out);
  request_head_.clear();
  keep_client_ = keep_target_ = false;
  request_side_ = client_half_closed_ ? RequestSide::done : RequestSide::tunnel;
  response_side_ = ResponseSide::tunnel;
  response_window_.consume(head.head_bytes);
  send_to_client(response_window_);
  client_->resume_body();
}

void Exchange::forward_response(net::Buffer data) {
  switch (response_side_) {
    case ResponseSide::length:
      return forward_length(std::move(data));
    case ResponseSide::chunked:
      return forward_chunked(std::move(data));
    case ResponseSide::until_close:
      return forward_until_close(std::move(data));
    case ResponseSide::tunnel:
      client_->stream().send(std::move(data));
      return after_response_bytes();
    case ResponseSide::none:
    case ResponseSide::head:
    case ResponseSide::tunnel_ended:
      return;
  }
}

void Exchange::forward_length(net::Buffer data) {
  if (data.size() > response_left_) {  // more than was announced: the connection is of no use
    data.set_size(static_cast<std::size_t>(response_left_));
    keep_target_ = false;
  }
  response_left_ -= data.size();
  if (compressor_ == nullptr) {
    client_->stream().send(std::move(data));
  } else if (!send_chunk(data.view()) || (response_left_ == 0 && !end_chunks({}))) {
    return abandon();
  }
  if (response_left_ == 0) return complete();
  after_response_bytes();
}

void Exchange::pipe_response() {
  if (compressor_ != nullptr || response_side_ != ResponseSide::length ||
      response_left_ < piped_body_bytes_min)
    return;
  // Refused where it is under way already or no pipe can be had: the body goes on as it does.
  static_cast<void>(target_->stream().pipe_to(client_->stream(), response_left_));
}

void Exchange::on_target_piped(std::size_t bytes) {
  touch();
  response_left_ -= bytes;
  if (response_left_ == 0) complete();
}

void Exchange::forward_chunked(net::Buffer data) {
  while (!data.empty()) {
    const auto step = response_decoder_.step(data.view());
    if (compressor_ == nullptr && fills_rest(data, step.content)) {
      data.consume(data.size() - step.content.size());
      send_block(std::move(data));
      break;
    }
    if (!step.content.empty() && !send_chunk(step.content)) return abandon();
    if (step.state == ParseState::refused) {
      blame_target(response_decoder_.detail());
      return abandon();
    }
    data.consume(step.consumed);
    if (step.state == ParseState::done) {
      if (!data.empty()) keep_target_ = false;
      if (!end_chunks(response_decoder_.trailers())) return abandon();
      return complete();
    }
  }
  after_response_bytes();
}

void Exchange::forward_until_close(net::Buffer data) {
  if (compressor_ == nullptr) {
    send_block(std::move(data));
  } else if (!send_chunk(data.view())) {
    return abandon();
  }
  after_response_bytes();
}

// As send_chunk() without a compressor, but the block itself goes on, not a copy.
void Exchange::send_block(net::Buffer data) {
  net::Stream& stream = client_->stream();
  if (client_framing_ != ResponseFraming::chunked) return stream.send(std::move(data));
  std::array<char, http::chunk_size_line_bytes_max> line;
  stream.send_copy(http::chunk_size_line(data.size(), line));
  stream.send(std::move(data));
  stream.send_copy(http::chunk_end);
}

// False: it cannot be compressed.
bool Exchange::send_chunk(std::string_view content) {
  net::Stream& stream = client_->stream();
  if (compressor_ != nullptr) return compressor_->send(stream, content);
  if (client_framing_ != ResponseFraming::chunked) {
    stream.send_copy(content);
    return true;
  }
  std::array<char, http::chunk_size_line_bytes_max> line;
  stream.send_copy(http::chunk_size_line(content.size(), line));
  stream.send_copy(content);
  stream.send_copy(http::chunk_end);
  return true;
}

// The same.
bool Exchange::end_chunks(std::string_view trailers) {
  net::Stream& stream = client_->stream();
  if (compressor_ != nullptr && !compressor_->finish(stream)) return false;
  if (client_framing_ != ResponseFraming::chunked) return true;
  stream.send_copy("0\r\n");
  stream.send_copy(trailers);
  stream.send_copy("\r\n");
  return true;
}

void Exchange::after_response_bytes() {
  if (client_->stream().queued_bytes() > worker_.queued_bytes_high())
    target_->stream().set_receiving(false);
}

void Exchange::on_target_end() {
  if (response_side_ == ResponseSide::until_close) {
    if (!end_chunks({})) return abandon();
    return complete();
  }
  if (response_side_ == ResponseSide::tunnel) {
    if (request_side_ == RequestSide::done) return complete();
    response_side_ = ResponseSide::tunnel_ended;
    return client_->stream().shutdown_send();
  }
  on_target_error(0);
}

void Exchange::on_target_error(int error) {
  if (response_side_ == ResponseSide::tunnel_ended) return complete();
  if (response_side_ != ResponseSide::head) {
    blame_target("ended within its answer", error);
    return abandon();
  }
  blame_target(!target_->is_connected() ? "cannot be connected to"
               : response_begun_        ? "ended within the head of its answer"
                                        : "ended before it answered",
               error);
  const auto end = target_->is_connected() ? TryEnd::lost : TryEnd::not_connected;
  if (try_again(end, error)) return;
  use_.failed(worker_.loop().now_ms());
  fail(502);
}

}  // namespace weir::proxy
