// The chunked coding (RFC 9112 §7.1), byte by byte for its lines and at once for its content.
//
// Strict where lenience has been used against proxies: no bare LF and no bare CR anywhere, no sign,
// prefix or white space in a size, no CR LF missing after the content. Extensions are dropped; all
// of a body's together are bounded, since each costs the sender little and us a scan.
#include <algorithm>

#include "http/desync.hpp"
#include "http/header_names.hpp"
#include "http/parser.hpp"
#include "http/scan.hpp"

namespace weir::http {
namespace {

constexpr std::size_t extension_bytes_max = 16 * 1024;  // of a body
constexpr unsigned size_digits_max = 16;

// RFC 9110 §6.5.1: framing, routing and what Connection governs have no place in a trailer.
bool is_trailer_refused(HeaderId id) {
  return id == HeaderId::content_length || id == HeaderId::transfer_encoding ||
         id == HeaderId::host;
}

}  // namespace

void ChunkedDecoder::restart() {
  phase_ = Phase::size;
  left_ = 0;
  digits_ = 0;
  line_bytes_ = 0;
  extension_bytes_ = trailer_bytes_ = 0;
  detail_ = {};
  trailers_.clear();
}

std::string_view ChunkedDecoder::trailers() const { return {trailers_.data(), trailers_.size()}; }

ChunkedDecoder::Step ChunkedDecoder::step(std::string_view bytes) {
  Step step;
  while (step.consumed < bytes.size() && phase_ != Phase::done) {
    if (phase_ == Phase::content) {
      const std::uint64_t size = std::min<std::uint64_t>(left_, bytes.size() - step.consumed);
      step.content = bytes.substr(step.consumed, size);
      step.consumed += size;
      left_ -= size;
      if (left_ == 0) phase_ = Phase::content_cr;
      return step;
    }
    if (!take(bytes[step.consumed])) {
      step.state = ParseState::refused;
      return step;
    }
    ++step.consumed;
  }
  if (phase_ == Phase::done) step.state = ParseState::done;
  return step;
}

bool ChunkedDecoder::refuse(std::string_view detail) {
  detail_ = detail;
  return false;
}

bool ChunkedDecoder::take(char c) {
  switch (phase_) {
    case Phase::size:
    case Phase::space:
    case Phase::extension:
      if (++line_bytes_ > chunk_line_bytes_max) return refuse("chunk line too long");
      if (phase_ == Phase::size) return take_size(c);
      return take_extension(c);
    case Phase::size_lf:
      if (c != '\n') return refuse("bare CR in a chunk line");
      return end_size_line();
    case Phase::content_cr:
      if (c != '\r') return refuse("no CRLF after a chunk");
      phase_ = Phase::content_lf;
      return true;
    case Phase::content_lf:
      if (c != '\n') return refuse("no CRLF after a chunk");
      phase_ = Phase::size;
      digits_ = 0;
      line_bytes_ = 0;
      return true;
    case Phase::trailer:
      return take_trailer(c);
    case Phase::content:
    case Phase::done:
      break;
  }
  return refuse("chunked body has ended");
}

bool ChunkedDecoder::take_size(char c) {
  const int digit = hex_digit(c);
  if (digit >= 0) {
    if (digits_ == size_digits_max) return refuse("chunk size too long");
    left_ = digits_ == 0 ? 0 : left_;
    left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
    ++digits_;
    return true;
  }
  if (digits_ == 0) return refuse("malformed chunk size");
  phase_ = c == '\r' ? Phase::size_lf : c == ';' ? Phase::extension : Phase::space;
  return phase_ != Phase::space || c == ' ' || c == '\t' || refuse("malformed chunk size");
}

// White space before ';' is allowed (RFC 9112 §7.1.1), after a size without extension it is not.
bool ChunkedDecoder::take_extension(char c) {
  if (++extension_bytes_ > extension_bytes_max) return refuse("chunk extensions too long");
  if (phase_ == Phase::space) {
    if (c == ';') phase_ = Phase::extension;
    return is_in(c, is_space) || c == ';' || refuse("malformed chunk size");
  }
  if (c == '\r') {
    phase_ = Phase::size_lf;
    return true;
  }
  return !is_in(c, is_control) || refuse("malformed chunk extension");
}

bool ChunkedDecoder::end_size_line() {
  phase_ = left_ == 0 ? Phase::trailer : Phase::content;
  line_bytes_ = 0;
  return true;
}

// Trailers are collected line by line at the end of trailers_; `line_bytes_` counts the line's, and
// a line that is not kept is taken off again.
bool ChunkedDecoder::take_trailer(char c) {
  if (++trailer_bytes_ > trailer_bytes_max) return refuse("trailers too long");
  trailers_.push_back(c);
  ++line_bytes_;
  if (c != '\n') return true;
  const std::string_view line = trailers().substr(trailers_.size() - line_bytes_);
  if (!line.ends_with("\r\n")) return refuse("bare LF in the trailers");
  if (line.size() == 2) {
    trailers_.resize(trailers_.size() - 2);
    phase_ = Phase::done;
    return true;
  }
  return end_trailer_line(line.substr(0, line.size() - 2));
}

bool ChunkedDecoder::end_trailer_line(std::string_view line) {
  if ((classes_of(line) & is_control) != 0) return refuse("control character in a trailer");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return refuse("malformed trailer");
  const std::string_view name = line.substr(0, colon);
  if (!all_in(name, in_token)) return refuse("malformed trailer name");
  const HeaderId id = header_id(name);
  if (is_trailer_refused(id) || look_alike(name) != LookAlike::none) {
    return refuse("forbidden trailer");
  }
  if (id != HeaderId::other) trailers_.resize(trailers_.size() - line_bytes_);
  line_bytes_ = 0;
  return true;
}

}  // namespace weir::http
