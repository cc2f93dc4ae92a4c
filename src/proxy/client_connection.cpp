#include "proxy/client_connection.hpp"

#include <utility>

#include "http/own_response.hpp"
#include "proxy/exchange.hpp"
#include "proxy/limits.hpp"
#include "proxy/serving.hpp"
#include "proxy/worker.hpp"

namespace weir::proxy {

ClientConnection::ClientConnection(Worker& worker, net::Stream* stream, const ClientOrigin& origin)
    : worker_(worker),
      stream_(stream),
      timer_([](void* self) { static_cast<ClientConnection*>(self)->on_timeout(); }, this),
      origin_(origin),
      idle_timeout_ms_(static_cast<std::uint32_t>(worker.idle_timeout_ms(origin.bound_port))) {
  stream_->set_events(this);
  stream_->set_receiving(true);
  cells_ = worker.cells_of_port(origin.bound_port, origin.number);
  if (cells_) {
    cells_->counts.add(telemetry::OfBalancer::new_connections);
    cells_->counts.add(telemetry::OfBalancer::active_connections);
  }
  worker.accounting().connected(*worker.serving(), origin_);
  touch();
}

void ClientConnection::touch() { worker_.loop().schedule(timer_, idle_timeout_ms_); }

void ClientConnection::expect_within(std::int64_t timeout_ms) {
  worker_.loop().cancel(timer_);
  worker_.loop().schedule(timer_, timeout_ms);
}

void ClientConnection::on_received(net::Buffer data) {
  if (inbox_ == nullptr) {
    inbox_ = worker_.take_inbox();
    inbox_->head_begun_us = worker_.loop().now_us();
  }
  inbox_->received_bytes += data.size();
  inbox_->window.add(std::move(data));
  process();
}

std::uint64_t ClientConnection::body_bytes_taken() const {
  if (inbox_ == nullptr) return 0;
  const std::uint64_t taken = inbox_->received_bytes - waiting().size();
  return taken > inbox_->body_begins ? taken - inbox_->body_begins : 0;
}

void ClientConnection::process() {
  if (processing_) return;
  processing_ = true;
  while (!closed_ && !waiting().empty()) {
    const std::size_t before = waiting().size();
    if (exchange_ == nullptr) {
      parse_head();
    } else if (exchange_->takes_body() && !body_paused_) {
      give_body();
    } else {
      break;
    }
    if (!closed_ && waiting().size() == before) break;
  }
  processing_ = false;
  if (closed_) return;
  stream_->set_receiving(!ended_ && may_receive());
  if (exchange_ == nullptr && !waiting().empty() && worker_.is_memory_tight())
    inbox_->window.leave_block();
  if (exchange_ == nullptr && waiting().empty()) give_inbox_back();
  if (exchange_ != nullptr && waiting().empty()) exchange_->pipe_request();
  if (ended_ && exchange_ == nullptr) close(net::Close::flush);
}

// A head is received whole, a body as far as the target takes it, and what comes ahead of an answer
// only so far.
bool ClientConnection::may_receive() const {
  if (exchange_ == nullptr) return true;
  return !body_paused_ && waiting().size() < pipelined_bytes_max;
}

void ClientConnection::parse_head() {
  http::RequestHead& head = worker_.request_head();
  switch (inbox_->parser.parse(waiting(), head)) {
    case http::ParseState::need_more:
      return;
    case http::ParseState::refused:
      return refuse(inbox_->parser.status());
    case http::ParseState::done:
      break;
  }
  inbox_->parser.restart();
  const std::size_t head_bytes = head.head_bytes;
  inbox_->body_begins = inbox_->received_bytes - waiting().size() + head_bytes;
  inbox_->sent_before = stream_->bytes_in_all();
  exchange_ = worker_.take_exchange();
  exchange_->begin(*this, head);
  if (!closed_) inbox_->window.consume(head_bytes);
}

void ClientConnection::give_body() {
  inbox_->window.drain(worker_.loop(), [this](net::Buffer data) {
    const bool takes = exchange_ != nullptr && waiting().empty() && exchange_->takes_body();
    net::Buffer rest = takes ? exchange_->take_body(std::move(data)) : std::move(data);
    if (!closed_ && !rest.empty()) inbox_->window.add(std::move(rest));
  });
}

// With bytes waiting.
void ClientConnection::refuse(int status) {
  inbox_->sent_before = stream_->bytes_in_all();
  http::OwnResponse response;
  response.status = status;
  response.close = true;
  // Which load balancer was meant is not known; the listener that the port was opened for speaks.
  const routing::Listener* listener =
      worker_.serving()->snapshot->find_listener(bound_port(), std::string_view());
  stream_->send_copy(worker_.own_response(response, listener));
  worker_.accounting().refused(*worker_.serving(), *this, status, inbox_->parser.desync_reason(),
                               worker_.loop().now_us());
  close(net::Close::linger);
}

void ClientConnection::finished(bool keep_alive, bool request_complete) {
  worker_.give_exchange(exchange_);
  exchange_ = nullptr;
  body_paused_ = false;
  is_first_ = false;
  inbox_->head_begun_us = worker_.loop().now_us();  // of what the client sent ahead
  if (!keep_alive || !request_complete)
    return close(request_complete && waiting().empty() ? net::Close::flush : net::Close::linger);
  touch();
  process();
}

void ClientConnection::abort() {
  worker_.give_exchange(exchange_);
  exchange_ = nullptr;
  close(net::Close::reset);
}

void ClientConnection::resume_body() {
  body_paused_ = false;
  process();
}

void ClientConnection::pause_body() { body_paused_ = true; }

void ClientConnection::on_end() {
  ended_ = true;
  if (exchange_ == nullptr) return close(net::Close::flush);
  exchange_->on_client_end();
}

void ClientConnection::on_drained() {
  if (exchange_ != nullptr) exchange_->on_client_drained();
}

void ClientConnection::on_piped(std::size_t bytes) {
  if (inbox_ != nullptr) inbox_->received_bytes += bytes;
  if (exchange_ != nullptr) exchange_->on_client_piped(bytes);
}

void ClientConnection::on_error(int) {
  if (exchange_ != nullptr) {
    exchange_->on_client_gone();
    worker_.give_exchange(exchange_);
    exchange_ = nullptr;
  }
  close(net::Close::now);
}

void ClientConnection::on_timeout() {
  if (exchange_ != nullptr) return exchange_->on_timeout();
  if (waiting().empty()) return close(net::Close::now);
  refuse(408);
}

void ClientConnection::give_inbox_back() {
  if (inbox_ != nullptr) worker_.give_inbox(std::exchange(inbox_, nullptr));
}

void ClientConnection::close(net::Close how) {
  if (closed_) return;
  closed_ = true;
  worker_.loop().cancel(timer_);
  give_inbox_back();
  if (cells_) cells_->counts[telemetry::OfBalancer::active_connections].remove();
  stream_->close(how);
  worker_.retire(*this);
}

}  // namespace weir::proxy
