#include "sim_loop.hpp"

#include <algorithm>
#include <utility>

namespace weir::net::test {
namespace {

constexpr std::int64_t start_ms = 1'000'000;
// Small, so that heads and bodies often are several blocks.
constexpr std::uint32_t block_bytes = 1024;

}  // namespace

void SimStream::close(Close how) {
  closed_ = true;
  events_ = nullptr;
  if (how == Close::now || how == Close::reset || connecting_) outbox_.clear();
  ends_ = true;
  if (outbox_.empty()) tell_end();
}

void SimStream::tell_end() {
  if (!std::exchange(end_told_, true)) peer_.on_end(*this);
}

bool SimStream::step() {
  if (connecting_) {
    if (closed_) return false;
    connecting_ = false;
    events_->on_connected();
    return true;
  }
  return loop_.draw(2) == 1 ? send_piece() || receive_piece() : receive_piece() || send_piece();
}

bool SimStream::send_piece() {
  if (outbox_.empty()) {
    if (!ends_ || end_told_) return false;
    tell_end();
    return true;
  }
  const std::string piece = outbox_.substr(0, loop_.draw_piece());
  outbox_.erase(0, piece.size());
  peer_.on_bytes(*this, piece);
  if (!outbox_.empty()) return true;
  if (ends_) tell_end();
  if (events_ != nullptr) events_->on_drained();
  return true;
}

bool SimStream::receive_piece() {
  if (closed_ || !receiving_) return false;
  if (!inbox_.empty()) {
    Buffer data = loop_.buffer();
    const std::string piece = inbox_.substr(0, std::min(loop_.draw_piece(), data.room()));
    inbox_.erase(0, piece.size());
    delivered_ += piece.size();
    data.append(piece);
    events_->on_received(std::move(data));
    return true;
  }
  if (!peer_ended_ || told_of_end_) return false;
  told_of_end_ = true;
  events_->on_end();
  return true;
}

SimLoop::SimLoop(std::uint64_t seed, std::size_t piece_max, Connector connector)
    : pool_(block_bytes),
      wheel_(start_ms),
      connector_(std::move(connector)),
      state_(seed),
      piece_max_(piece_max),
      now_us_(start_ms * 1000) {}

SimLoop::~SimLoop() = default;

std::size_t SimLoop::draw(std::size_t max) {
  state_ = state_ * 6364136223846793005U + 1442695040888963407U;
  return 1 + static_cast<std::size_t>((state_ >> 33U) % max);
}

SimStream& SimLoop::add(Fd socket, StreamEvents* events, Peer& peer, bool connects) {
  streams_.push_back(std::make_unique<SimStream>(*this, std::move(socket), events, peer, connects));
  return *streams_.back();
}

Stream* SimLoop::adopt(Fd socket, StreamEvents* events) {
  return &add(std::move(socket), events, *accepted_peer_, false);
}

Stream* SimLoop::connect(Fd socket, const Address&, StreamEvents* events) {
  return &add(std::move(socket), events, connector_(), true);
}

Listener* SimLoop::listen(Fd, AcceptEvents* events) {
  acceptor_ = events;
  return &listener_;
}

SimStream& SimLoop::accept(Peer& peer) {
  accepted_peer_ = &peer;
  acceptor_->on_accepted(Fd());
  return *streams_.back();
}

// From a drawn place on, the first stream at which something can happen.
bool SimLoop::step_stream() {
  std::erase_if(streams_, [](const auto& stream) { return stream->is_gone(); });
  const std::size_t count = streams_.size();
  if (count == 0) return false;
  const std::size_t start = draw(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (streams_[(start + i) % count]->step()) return true;
  }
  return false;
}

// Each thing that happens is a turn of its own.
bool SimLoop::step() {
  const bool happened = step_stream();
  return end_turn() || happened;
}

bool SimLoop::end_turn() {
  if (turn_ends_.empty()) return false;
  for (TurnEnd* each : std::exchange(turn_ends_, {})) each->on_turn_end();
  return true;
}

bool SimLoop::settle(std::size_t steps_max) {
  for (std::size_t i = 0; i < steps_max; ++i) {
    if (!step()) return true;
    if (draw(8) == 1) pass(1);
  }
  return false;
}

void SimLoop::pass(std::int64_t ms) {
  now_us_ += ms * 1000;
  wheel_.advance(now_ms());
}

}  // namespace weir::net::test
