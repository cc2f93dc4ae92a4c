#include "proxy/mirror.hpp"

#include <algorithm>

#include "proxy/limits.hpp"
#include "proxy/target_choice.hpp"
#include "proxy/worker.hpp"

namespace weir::proxy {

using http::ParseState;

MirrorCopy::MirrorCopy(Worker& worker, http::Method method, MirrorCopy*& holder)
    : worker_(worker),
      holder_(&holder),
      timer_([](void* self) { static_cast<MirrorCopy*>(self)->close(); }, this),
      method_(method) {}

void MirrorCopy::open(Fd socket, const net::Address& to) {
  stream_ = worker_.loop().connect(std::move(socket), to, this);
  stream_->set_receiving(true);
  worker_.loop().schedule(timer_, mirror_timeout_ms);
}

void MirrorCopy::send(std::string_view bytes) {
  if (stream_->queued_bytes() + bytes.size() > queued_bytes_high) return close();
  stream_->send_copy(bytes);
}

void MirrorCopy::let_go(bool is_whole) {
  holder_ = nullptr;
  if (!is_whole) close();
}

void MirrorCopy::on_received(net::Buffer data) {
  if (answer_ != Answer::head) {
    if (!skip_body(data.view())) close();
    return;
  }
  window_.add(std::move(data));
  if (!take_head()) return close();
  if (answer_ == Answer::head) return;  // more of it is to come
  if (!skip_body(window_.view())) return close();
  window_.clear();
}

bool MirrorCopy::take_head() {
  http::ResponseHead& head = worker_.response_head();
  for (;;) {
    const ParseState state = parser_.parse(window_.view(), method_, head);
    if (state == ParseState::need_more) return true;
    if (state == ParseState::refused || head.status == 101) return false;
    parser_.restart();
    window_.consume(head.head_bytes);
    if (head.status >= 200) break;
    if (window_.empty()) return true;
  }
  left_ = head.content_length;
  switch (head.framing) {
    case http::Framing::none:
      return false;
    case http::Framing::content_length:
      answer_ = Answer::length;
      break;
    case http::Framing::chunked:
      answer_ = Answer::chunked;
      break;
    case http::Framing::until_close:
      answer_ = Answer::until_close;
      break;
  }
  return true;
}

bool MirrorCopy::skip_body(std::string_view bytes) {
  if (answer_ == Answer::until_close) return true;
  if (answer_ == Answer::length) {
    left_ -= std::min<std::uint64_t>(left_, bytes.size());
    return left_ > 0;
  }
  while (!bytes.empty()) {
    const auto step = decoder_.step(bytes);
    if (step.state != ParseState::need_more) return false;
    bytes.remove_prefix(step.consumed);
  }
  return true;
}

// By a reset: a copy a connection would otherwise leave a port waiting for each.
void MirrorCopy::close() {
  if (holder_ != nullptr) *holder_ = nullptr;
  holder_ = nullptr;
  worker_.loop().cancel(timer_);
  stream_->close(net::Close::reset);
  worker_.retire(*this);
}

bool mirror(Worker& worker, Serving& serving, std::uint32_t group, const MirrorFacts& facts,
            std::string_view head, MirrorCopy*& holder) {
  Serving::Group& from = serving.group(group);
  const routing::Mirror& mirror = serving.snapshot->target_groups[group].mirror;
  from.mirror_turn += mirror.percent;
  if (from.mirror_turn < 100) return false;
  from.mirror_turn -= 100;
  Serving::Group& to = serving.group(mirror.target_group);
  const std::uint64_t nodes = to.target_group.nodes;
  const auto target = choose_target(
      to, {static_cast<std::uint32_t>(facts.client_number % nodes), worker.loop().now_ms()});
  if (!target) return false;
  holder = worker.open_mirror(*to.pools[*target], facts, holder);
  if (holder != nullptr) holder->send(head);  // may end it
  return holder != nullptr;
}

}  // namespace weir::proxy
