#include "tls/stream.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/clock.hpp"

namespace weir::tls {
namespace {

constexpr std::size_t record_bytes_max = 16'384;

std::string_view view_of(const char* text) { return text == nullptr ? "" : text; }

// Constant texts of OpenSSL's.
std::string_view reason_in_queue() {
  const unsigned long code = ERR_peek_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown" : reason;
}

}  // namespace

// ---------------------------------------------------------------- OpenSSL's side
// Reads from the received blocks, writes into the inner stream's queue.
BIO_METHOD* TlsStream::bio_method() {
  static const std::unique_ptr<BIO_METHOD, Freed<BIO_meth_free>> method = [] {
    std::unique_ptr<BIO_METHOD, Freed<BIO_meth_free>> out(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream"));
    BIO_meth_set_read(out.get(), read_bio);
    BIO_meth_set_write(out.get(), write_bio);
    BIO_meth_set_ctrl(out.get(), control_bio);
    return out;
  }();
  return method.get();
}

int TlsStream::read_bio(BIO* bio, char* out, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  int copied = 0;
  while (copied < size && !self.received_.empty()) {
    net::Buffer& front = self.received_.front();
    const std::size_t part = std::min(front.size(), static_cast<std::size_t>(size - copied));
    std::memcpy(out + copied, front.data(), part);
    copied += static_cast<int>(part);
    front.consume(part);
    if (front.empty()) self.received_.pop().reset();
  }
  if (copied > 0) return copied;
  BIO_set_retry_read(bio);
  return -1;
}

int TlsStream::write_bio(BIO* bio, const char* data, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (!self.inner_failed_) self.inner_->send_copy({data, static_cast<std::size_t>(size)});
  return size;
}

long TlsStream::control_bio(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// ---------------------------------------------------------------- handshake
TlsStream::TlsStream(Streams& streams, net::Stream* inner, SslPtr ssl, net::StreamEvents* events)
    : streams_(streams),
      inner_(inner),
      events_(events),
      ssl_(std::move(ssl)),
      received_(streams.loop().pool()),
      plain_(streams.loop().pool()),
      timer_([](void* self) { static_cast<TlsStream*>(self)->fail(ETIMEDOUT); }, this),
      is_server_(false) {
  inner_->set_events(this);
  BIO* bio = ssl_ ? BIO_new(bio_method()) : nullptr;
  if (bio == nullptr) {
    ssl_.reset();
    return;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsStream::TlsStream(Streams& streams, net::Stream* inner, ServerContextPtr context,
                     net::StreamEvents* events)
    : TlsStream(streams, inner, context->new_connection(notes_), events) {
  server_context_ = std::move(context);
  is_server_ = true;
  begin();
}

TlsStream::TlsStream(Streams& streams, net::Stream* inner, ClientContextPtr context,
                     net::StreamEvents* events)
    : TlsStream(streams, inner, context->new_connection(), events) {}

TlsStream::~TlsStream() = default;

void TlsStream::begin() {
  state_ = State::shaking_hands;
  begun_us_ = streams_.loop().now_us();
  inner_->set_receiving(true);
  streams_.loop().schedule(timer_, handshake_timeout_ms);
}

void TlsStream::on_connected() {
  begin();
  streams_.queue_handshake(*this);
}

void TlsStream::shake_hands() {
  if (closed_ || state_ != State::shaking_hands) return;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return finish_handshake();
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) {
    if (!inner_ended_) return;
    failure_ = "the peer left before the end of the handshake";
    return fail(ECONNRESET);
  }
  failure_ = reason_in_queue();
  fail(EPROTO);
}

void TlsStream::finish_handshake() {
  state_ = State::open;
  // Read anew, since the loop's clock stands still while handshakes of a turn go on.
  handshake_us_ = monotonic_ns() / 1000 - begun_us_;
  streams_.loop().cancel(timer_);
  events_->on_connected();
  if (closed_) return;
  make_dirty();
}

void TlsStream::fail(int error) {
  if (closed_ || state_ == State::failed) return;
  state_ = State::failed;
  streams_.loop().cancel(timer_);
  inner_->set_receiving(false);
  plain_.clear();
  if (events_ != nullptr) std::exchange(events_, nullptr)->on_error(error);
}

// ---------------------------------------------------------------- receiving
void TlsStream::on_received(net::Buffer data) {
  if (state_ == State::failed) return;
  received_.push(std::move(data));
  if (state_ == State::shaking_hands) return streams_.queue_handshake(*this);
  deliver();
}

void TlsStream::on_end() {
  inner_ended_ = true;
  if (state_ == State::shaking_hands) return streams_.queue_handshake(*this);
  deliver();
}

void TlsStream::on_error(int error) {
  inner_failed_ = true;
  fail(error);
}

void TlsStream::set_receiving(bool on) {
  receiving_ = on;
  if (state_ != State::open) return;
  inner_->set_receiving(on);
  if (on && !delivering_) make_dirty();  // what has arrived is told from the loop, not from here
}

// As many records as the block has room for.
TlsStream::Filled TlsStream::fill(net::Buffer& block) {
  ERR_clear_error();
  while (block.room() > 0) {
    std::size_t got = 0;
    if (SSL_read_ex(ssl_.get(), block.data() + block.size(), block.room(), &got) == 1) {
      block.set_size(block.size() + got);
      continue;
    }
    switch (SSL_get_error(ssl_.get(), 0)) {
      case SSL_ERROR_WANT_READ:
        return Filled::drained;
      case SSL_ERROR_ZERO_RETURN:
        return Filled::ended;
      default:
        failure_ = reason_in_queue();
        return Filled::failed;
    }
  }
  return Filled::full;
}

void TlsStream::deliver() {
  if (delivering_) return;
  delivering_ = true;
  while (!closed_ && state_ == State::open && receiving_ && !end_told_) {
    net::Buffer block = streams_.loop().buffer();
    const Filled filled = fill(block);
    if (!block.empty()) events_->on_received(std::move(block));
    if (closed_ || state_ != State::open) break;
    if (filled == Filled::full) continue;
    if (filled == Filled::failed) {
      fail(EPROTO);
      break;
    }
    const bool is_cut = filled == Filled::drained && inner_ended_;
    if (filled == Filled::drained && !is_cut) break;
    end_told_ = true;
    // A target's answer that ends without close_notify may have been cut off by anybody; a client
    // that leaves so has no more to say.
    if (is_cut && !is_server_) {
      failure_ = "the peer left without close_notify";
      fail(ECONNRESET);
    } else {
      events_->on_end();
    }
  }
  delivering_ = false;
}

// ---------------------------------------------------------------- sending
void TlsStream::make_dirty() {
  if (in_dirty_list_) return;
  in_dirty_list_ = true;
  streams_.add_dirty(*this);
}

void TlsStream::send(net::Buffer data) {
  if (data.empty() || state_ == State::failed) return;
  plain_.push(std::move(data));
  if (state_ == State::open) make_dirty();
}

void TlsStream::send_copy(std::string_view bytes) {
  if (state_ == State::failed) return;
  plain_.push_copy(bytes);
  if (state_ == State::open) make_dirty();
}

void TlsStream::shutdown_send() {
  shutdown_wanted_ = true;
  if (state_ == State::open) make_dirty();
}

void TlsStream::on_drained() {
  if (state_ == State::open && plain_.empty()) events_->on_drained();
}

void TlsStream::work() {
  if (closed_ || state_ != State::open) return;
  deliver();
  if (closed_ || state_ != State::open) return;
  encrypt();
  if (shutdown_wanted_ && state_ == State::open) {
    shutdown_wanted_ = false;
    say_goodbye();
    inner_->shutdown_send();
  }
}

void TlsStream::encrypt() {
  ERR_clear_error();
  while (!plain_.empty()) {
    iovec piece{};
    plain_.lend({&piece, 1});
    std::size_t written = 0;
    if (SSL_write_ex(ssl_.get(), piece.iov_base, std::min(piece.iov_len, record_bytes_max),
                     &written) != 1) {
      failure_ = reason_in_queue();
      return fail(EPROTO);
    }
    plain_.sent(written);
  }
}

void TlsStream::say_goodbye() {
  if (std::exchange(said_goodbye_, true)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsStream::close(net::Close how) {
  if (closed_) return;
  closed_ = true;
  events_ = nullptr;
  streams_.loop().cancel(timer_);
  if (inner_failed_ || how == net::Close::reset) {
    inner_->close(inner_failed_ ? net::Close::now : how);
  } else if (state_ == State::failed) {
    inner_->close(net::Close::linger);  // the alert reaches the peer
  } else if (state_ != State::open || (how == net::Close::now && queued_bytes() > 0)) {
    inner_->close(how);
  } else {
    encrypt();
    say_goodbye();
    inner_->close(how == net::Close::now ? net::Close::flush : how);
  }
  plain_.clear();
  received_.clear();
  streams_.retire(*this);
}

// ---------------------------------------------------------------- what was agreed on
std::string_view TlsStream::version() const { return view_of(SSL_get_version(ssl_.get())); }
std::string_view TlsStream::cipher() const { return view_of(SSL_get_cipher_name(ssl_.get())); }
bool TlsStream::is_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

std::string_view TlsStream::group() const {
  const long group = SSL_get_negotiated_group(ssl_.get());
  return group == NID_undef ? "" : view_of(OBJ_nid2sn(static_cast<int>(group)));
}

std::string_view TlsStream::protocol() const {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

std::string_view TlsStream::server_name() const {
  return view_of(SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name));
}

// With a session resumed, nothing has looked for a certificate.
bool TlsStream::is_name_matched() const {
  if (notes_.name_matched || server_context_ == nullptr || !is_resumed())
    return notes_.name_matched;
  return server_context_->has_certificate_for(server_name());
}

std::string_view TlsStream::certificate_arn() const {
  if (server_context_ == nullptr || notes_.certificate == HandshakeNotes::no_certificate) return {};
  return server_context_->options().certificates[notes_.certificate].arn;
}

// ---------------------------------------------------------------- all streams of a loop
TlsStream* Streams::accept(net::Stream* inner, ServerContextPtr context,
                           net::StreamEvents* events) {
  TlsStream* stream =
      streams_.add(std::make_unique<TlsStream>(*this, inner, std::move(context), events));
  if (stream->ssl_) return stream;
  stream->close(net::Close::now);
  return nullptr;
}

TlsStream* Streams::connect(net::Stream* inner, ClientContextPtr context,
                            net::StreamEvents* events) {
  TlsStream* stream =
      streams_.add(std::make_unique<TlsStream>(*this, inner, std::move(context), events));
  if (stream->ssl_) return stream;
  stream->close(net::Close::now);
  return nullptr;
}

void Streams::ask_for_turn_end() {
  if (std::exchange(turn_end_asked_, true)) return;
  loop_.at_turn_end(*this);
}

void Streams::add_dirty(TlsStream& stream) {
  dirty_.push_back(&stream);
  ask_for_turn_end();
}

void Streams::queue_handshake(TlsStream& stream) {
  if (std::exchange(stream.in_handshake_queue_, true)) return;
  handshakes_.push_back(&stream);
  ask_for_turn_end();
}

void Streams::retire(TlsStream& stream) {
  streams_.retire(&stream);
  ask_for_turn_end();
}

void Streams::on_turn_end() {
  turn_end_asked_ = false;
  // What a handshake's end asks for (an answer to what came with it) is done in this turn too.
  run_handshakes();
  while (!dirty_.empty()) {
    working_.swap(dirty_);
    for (TlsStream* stream : working_) {
      stream->in_dirty_list_ = false;
      stream->work();
    }
    working_.clear();
  }
  if (streams_.has_retired()) {
    std::erase_if(handshakes_, [](const TlsStream* stream) { return stream->is_closed(); });
    streams_.bury();
  }
  if (!handshakes_.empty()) ask_for_turn_end();
}

void Streams::run_handshakes() {
  if (handshakes_.empty()) return;
  const std::int64_t until_ns = monotonic_ns() + handshakes_us_a_turn * 1000;
  do {
    TlsStream* stream = handshakes_.front();
    handshakes_.pop_front();
    stream->in_handshake_queue_ = false;
    stream->shake_hands();
  } while (!handshakes_.empty() && monotonic_ns() < until_ns);
}

}  // namespace weir::tls
