// The request parser: one pass from the first byte to the empty line.
//
// The pass takes each line by its common shape if it has it and looks closer if it has not; what it
// finds is noted and decided at the end, so that a head gives the same answer in whatever pieces it
// came. Two things are answered earlier: a request line that cannot be served, and a head beyond
// the limits. A head that is not complete at the first look is not parsed again until its end has
// come (HeadEnd), so each byte is looked at a fixed number of times.
//
// What is severe but leaves no doubt about where the request ends is `done` for monitor mode to
// pass on; a request that others might frame or read differently is refused in every mode.
#include <cstring>

#include "http/desync.hpp"
#include "http/fields.hpp"
#include "http/parser.hpp"
#include "http/request_line.hpp"
#include "http/scan.hpp"
#include "http/target.hpp"

namespace weir::http {
namespace {

constexpr std::size_t empty_lines_max = 8;

struct Refusal {
  int status = 0;
  std::string_view detail;
  DesyncReason reason = DesyncReason::none;
};

class RequestPass {
 public:
  RequestPass(std::string_view bytes, std::size_t start, RequestHead& head)
      : begin_(bytes.data()), at_(begin_ + start), end_(begin_ + bytes.size()), head_(head) {
    reset_head();
  }

  enum class Outcome : std::uint8_t { done, refused, in_request_line, in_headers };
  Outcome run();

  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  // Of in_headers: where the line begins that has not ended.
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  void reset_head();
  Outcome request_line();
  Outcome headers();
  void odd_header(Header& header);
  void nameless_line(std::string_view line, bool is_folded, Header& header);
  void check_name(Header& header);
  void note_look_alike(LookAlike found);
  void use(const Header& header);
  void judge_body();
  void judge_transfer_encoding();
  void judge_content_length();
  void judge_host();
  void finish();

  // The first refusal counts, and only at the end of the head.
  void refuse(int status, std::string_view detail, DesyncReason reason = DesyncReason::none) {
    if (reason != DesyncReason::none) verdict_.raise(reason);
    if (refusal_.status == 0) refusal_ = {status, detail, reason};
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  RequestHead& head_;
  RequestLineFindings line_;
  Verdict verdict_;
  Refusal refusal_;
  BodyFields body_;
  ConnectionOptions connection_;
  std::string_view host_;
  std::uint32_t hosts_ = 0;
  std::uint32_t upgrades_ = 0;
  bool is_websocket_ = false;
  bool resembles_te_ = false;  // some line could be taken for Transfer-Encoding
  bool resembles_cl_ = false;
};

void RequestPass::reset_head() {
  head_.headers.clear();
  head_.method_text = head_.target = head_.authority = head_.path = head_.query = {};
  head_.method = Method::other;
  head_.has_query = head_.is_absolute_form = head_.target_needs_encoding = false;
  head_.version = Version::http_1_1;
  head_.framing = Framing::none;
  head_.content_length = 0;
  head_.keep_alive = true;
  head_.expects_continue = head_.is_websocket_upgrade = false;
  head_.forwarded_for_addresses = 0;
  head_.desync_class = DesyncClass::compliant;
  head_.desync_reason = DesyncReason::none;
  head_.head_bytes = 0;
}

RequestPass::Outcome RequestPass::run() {
  Outcome outcome = request_line();
  if (outcome != Outcome::in_headers) return outcome;
  if (head_.version != Version::http_0_9) {
    outcome = headers();
    if (outcome != Outcome::done) return outcome;
  }
  head_.head_bytes = static_cast<std::size_t>(at_ - begin_);
  finish();
  return refusal_.status == 0 ? Outcome::done : Outcome::refused;
}

// `in_headers`: goes on. Refusals of the line are final at once.
RequestPass::Outcome RequestPass::request_line() {
  const char* next = plain_request_line(at_, end_, head_);
  if (next != nullptr) {
    if (static_cast<std::size_t>(next - at_) - 2 > request_line_bytes_max) {
      refusal_ = {414, "request line too long", DesyncReason::none};
      return Outcome::refused;
    }
  } else {
    if (at_ != end_ && !is_in(*at_, is_visible)) {
      refusal_ = {400, "malformed method", DesyncReason::bad_method};
      return Outcome::refused;
    }
    const Line line = take_line(at_, end_);
    if (line.next == nullptr) return Outcome::in_request_line;
    if (line.text.size() > request_line_bytes_max) {
      refusal_ = {414, "request line too long", DesyncReason::none};
      return Outcome::refused;
    }
    line_ = odd_request_line(line.text, head_);
    if (!line.is_crlf) verdict_.raise(DesyncReason::non_crlf_line_termination);
    next = line.next;
  }
  // CONNECT asks for a tunnel, which a load balancer is not (reference §5.1 leaves it open).
  if (line_.status == 0 && head_.method == Method::connect) {
    line_.status = 405;
    line_.detail = "CONNECT is not supported";
  } else if (line_.status == 0 && !split_target(head_)) {
    line_.status = 400;
    line_.detail = "malformed request target";
  }
  if (line_.status != 0) {
    refusal_ = {line_.status, line_.detail, line_.reason};
    return Outcome::refused;
  }
  at_ = next;
  return Outcome::in_headers;
}

RequestPass::Outcome RequestPass::headers() {
  while (true) {
    if (end_ - at_ >= 2 && at_[0] == '\r' && at_[1] == '\n') {
      at_ += 2;
      return Outcome::done;
    }
    Header header;
    const char* next = plain_header(at_, end_, header);
    if (next == nullptr) {
      const Line line = take_line(at_, end_);
      if (line.next == nullptr) return Outcome::in_headers;
      if (!line.is_crlf) verdict_.raise(DesyncReason::non_crlf_line_termination);
      if (line.text.empty()) {
        at_ = line.next;
        return Outcome::done;
      }
      next = line.next;
      header.name = line.text;
      odd_header(header);
    }
    if (static_cast<std::size_t>(next - at_) - 2 > header_bytes_max) {
      refuse(400, "header too long");
    }
    at_ = next;
    if (header.id != HeaderId::other) {
      use(header);
    } else if (may_look_alike(header.name)) {
      check_name(header);
    }
    if (head_.headers.size() < header_count_max) {
      head_.headers.push_back(header);
    } else {
      refuse(400, "too many headers");
    }
  }
}

// `header.name` holds the whole line.
void RequestPass::odd_header(Header& header) {
  const std::string_view line = header.name;
  const unsigned classes = classes_of(line);
  if ((classes & is_forbidden) != 0) {
    // Others may end the line or the value there.
    refuse(400, "NUL or CR in a header", DesyncReason::bad_header);
    header.is_name_valid = header.is_forwardable = false;
    return;
  }
  const bool is_folded = is_in(line.front(), is_space);
  const std::size_t colon = line.find(':');
  if (is_folded || colon == std::string_view::npos) {
    nameless_line(line, is_folded, header);
    return;
  }
  header.name = line.substr(0, colon);
  header.value = trim_spaces(line.substr(colon + 1));
  header.id = header_id(header.name);
  const unsigned name_classes = classes_of(header.name);
  header.is_name_valid = !header.name.empty() && all_in(header.name, in_name);
  if (header.name.empty()) {
    verdict_.raise(DesyncReason::empty_header);
    header.is_forwardable = false;
    return;
  }
  if ((name_classes & (is_space | is_control | is_not_ascii)) != 0) header.is_forwardable = false;
  if (!all_in(header.name, in_token) || (classes & (is_control | is_not_ascii)) != 0) {
    verdict_.raise(DesyncReason::non_compliant_header);
  }
  if (is_in(header.name.back(), is_space)) {
    // RFC 9112 §5.1: MUST be refused. Some strip it, some do not.
    const bool is_look_alike = look_alike(header.name) != LookAlike::none;
    refuse(400, "white space before a header's colon",
           is_look_alike ? DesyncReason::suspicious_header : DesyncReason::non_compliant_header);
  }
}

// A line that is no field. Reference §5.1: a folded line is a header of its own with ':' appended;
// a line without a colon is treated the same. It goes on so only where it is a harmless token, and
// never as part of the header before it.
void RequestPass::nameless_line(std::string_view line, bool is_folded, Header& header) {
  header.name = trim_spaces(line);
  header.value = {};
  header.is_name_valid = !header.name.empty() && all_in(header.name, in_name);
  header.is_forwardable = !header.name.empty() && all_in(header.name, in_token) &&
                          header_id(header.name) == HeaderId::other;
  const std::string_view name = line.substr(0, line.find(':'));
  if (trim_spaces(name).empty()) {
    verdict_.raise(DesyncReason::empty_header);
  } else {
    verdict_.raise(is_folded ? DesyncReason::multiline_header : DesyncReason::missing_header_colon);
  }
  if (!is_folded) return;
  // " Transfer-Encoding: chunked": hidden from us, and the real thing to who trims the name.
  note_look_alike(look_alike(name));
  if (head_.headers.empty()) {
    // RFC 9112 §2.2: white space between the request line and the first header.
    refuse(400, "white space before the first header", DesyncReason::multiline_header);
    return;
  }
  const HeaderId folded = head_.headers.back().id;
  if (folded == HeaderId::content_length || folded == HeaderId::transfer_encoding ||
      folded == HeaderId::host) {
    refuse(400, "folded framing header", DesyncReason::multiline_header);
  }
}

void RequestPass::check_name(Header& header) {
  const LookAlike found = look_alike(header.name);
  if (found == LookAlike::none) return;
  verdict_.raise(DesyncReason::suspicious_header);
  header.is_forwardable = false;
  note_look_alike(found);
}

void RequestPass::note_look_alike(LookAlike found) {
  if (found == LookAlike::transfer_encoding) resembles_te_ = true;
  if (found == LookAlike::content_length) resembles_cl_ = true;
}

void RequestPass::use(const Header& header) {
  switch (header.id) {
    case HeaderId::host:
      if (hosts_++ == 0) host_ = header.value;
      return;
    case HeaderId::content_length:
      body_.add_content_length(header.value);
      return;
    case HeaderId::transfer_encoding:
      body_.add_transfer_encoding(header.value);
      return;
    case HeaderId::connection:
      connection_.add(header.value);
      return;
    case HeaderId::upgrade:
      is_websocket_ = upgrades_++ == 0 && is_word<"websocket">(header.value);
      return;
    case HeaderId::expect:
      if (is_word<"100-continue">(header.value)) head_.expects_continue = true;
      return;
    case HeaderId::x_forwarded_for:
      for_each_element(header.value, [&](std::string_view) { ++head_.forwarded_for_addresses; });
      return;
    default:
      return;
  }
}

void RequestPass::judge_transfer_encoding() {
  if (body_.is_coding_malformed) {
    refuse(400, "malformed Transfer-Encoding", DesyncReason::bad_transfer_encoding);
  } else if (body_.is_chunked_repeated) {
    refuse(400, "chunked more than once", DesyncReason::multiple_transfer_encoding_chunked);
  } else if (body_.is_chunked_not_last) {
    // RFC 9112 §6.3, point 4: the length cannot be known.
    refuse(400, "chunked is not the last transfer coding",
           body_.is_coding_unregistered ? DesyncReason::bad_transfer_encoding : DesyncReason::none);
  } else if (body_.is_coding_unknown) {
    refuse(501, "unknown transfer coding",
           body_.is_coding_unregistered ? DesyncReason::bad_transfer_encoding : DesyncReason::none);
  }
  if (body_.is_chunked) head_.framing = Framing::chunked;
  // "identity" says that nothing was done to the body (RFC 2616 §3.6); since RFC 7230 it is gone,
  // and parsers differ on what it does to framing: end the connection.
  if (!body_.is_chunked || body_.transfer_codings > 1) head_.keep_alive = false;
}

void RequestPass::judge_content_length() {
  if (body_.is_length_bad_first) {
    refuse(400, "malformed Content-Length", DesyncReason::bad_content_length);
  } else if (body_.is_length_different) {
    refuse(400, "Content-Lengths differ", DesyncReason::multiple_content_length);
  } else if (body_.content_lengths > 1) {
    verdict_.raise(DesyncReason::duplicate_content_length);
  }
  if (head_.framing == Framing::chunked) return;  // RFC 9112 §6.3, point 3: it overrides
  head_.framing = Framing::content_length;
  head_.content_length = body_.content_length;
}

// In the order of reference §6.3, points 5 to 7.
void RequestPass::judge_body() {
  const bool has_te = body_.transfer_encodings != 0;
  const bool has_cl = body_.content_lengths != 0;
  if ((resembles_te_ || resembles_cl_) && (has_te || resembles_te_) && (has_cl || resembles_cl_)) {
    verdict_.raise(DesyncReason::suspicious_te_cl_present);
  }
  if (has_te && head_.version != Version::http_1_1) {
    verdict_.raise(DesyncReason::undefined_transfer_encoding_semantics);
  }
  if (has_te) judge_transfer_encoding();
  if (has_cl) judge_content_length();
  if (head_.method == Method::get || head_.method == Method::head) {
    if (has_te) verdict_.raise(DesyncReason::undefined_transfer_encoding_semantics);
    if (has_cl) {
      verdict_.raise(body_.content_length == 0 ? DesyncReason::get_head_zero_content_length
                                               : DesyncReason::undefined_content_length_semantics);
    }
  }
  if (has_te && has_cl) verdict_.raise(DesyncReason::both_te_cl_present);
  // RFC 9112 §6.1: process by Transfer-Encoding, then close.
  if (has_te && (has_cl || head_.version != Version::http_1_1)) head_.keep_alive = false;
}

// RFC 9112 §3.2: exactly one valid Host in HTTP/1.1. Several are refused in every version, although
// reference §5.4 has them passed on by preserve_host_header: the RFC's MUST, and two parsers that
// pick different ones are two different sites. An absolute target overrides Host, valid or empty.
void RequestPass::judge_host() {
  if (hosts_ == 0) {
    if (head_.version == Version::http_1_1) refuse(400, "no Host header");
    return;
  }
  if (hosts_ > 1) {
    refuse(400, "several Host headers");
  } else if (!is_authority_valid(host_)) {
    refuse(400, "malformed Host header");
  } else if (host_.empty() && head_.version == Version::http_1_1 && !head_.is_absolute_form) {
    refuse(400, "empty Host header");  // no http URI is without a host (RFC 9110 §4.2.1)
  }
  if (!head_.is_absolute_form) head_.authority = host_;
}

void RequestPass::finish() {
  judge_body();
  if (connection_.close) head_.keep_alive = false;
  if (head_.version == Version::http_1_0) {
    if (!connection_.keep_alive) head_.keep_alive = false;
    head_.expects_continue = false;  // RFC 9110 §10.1.1
  } else if (head_.version == Version::http_0_9) {
    head_.keep_alive = false;
  }
  head_.is_websocket_upgrade = is_websocket_ && connection_.upgrade &&
                               head_.method == Method::get && head_.framing == Framing::none &&
                               head_.version == Version::http_1_1;
  if (connection_.names > ConnectionOptions::names_max) {
    refuse(400, "too many connection options");
  } else if (connection_.names != 0) {
    mark_connection_fields(head_.headers);
  }
  verdict_.raise(line_.method);
  verdict_.raise(line_.version);
  verdict_.raise(line_.uri);
  judge_host();
  if (refusal_.status != 0 && refusal_.reason == DesyncReason::none) {
    refusal_.reason = verdict_.reason;
  }
  head_.desync_class = verdict_.desync_class;
  head_.desync_reason = verdict_.reason;
}

}  // namespace

ParseState RequestParser::refuse(int status, std::string_view detail, DesyncReason reason) {
  status_ = status;
  detail_ = detail;
  desync_reason_ = reason;
  return ParseState::refused;
}

void RequestParser::restart() {
  start_ = empty_lines_ = 0;
  has_looked_ = has_line_ = false;
  end_.restart();
  status_ = 0;
  detail_ = {};
  desync_reason_ = DesyncReason::none;
}

ParseState RequestParser::parse(std::string_view bytes, RequestHead& head) {
  while (true) {
    const std::string_view rest = bytes.substr(start_);
    if (rest.empty() || rest == "\r") return ParseState::need_more;
    const std::size_t empty_line = rest.starts_with('\n') ? 1 : rest.starts_with("\r\n") ? 2 : 0;
    if (empty_line == 0) break;
    if (++empty_lines_ > empty_lines_max) return refuse(400, "too many empty lines");
    start_ += empty_line;
  }
  if (has_looked_) {
    if (!has_line_ ? !end_.has_line(bytes) : !end_.is_in(bytes)) return wait(bytes.size());
  }
  return first_look(bytes, head);
}

ParseState RequestParser::first_look(std::string_view bytes, RequestHead& head) {
  RequestPass pass(bytes, start_, head);
  switch (pass.run()) {
    case RequestPass::Outcome::done:
      if (head.head_bytes - start_ > request_head_bytes_max) break;
      return ParseState::done;
    case RequestPass::Outcome::refused: {
      if (head.head_bytes > start_ + request_head_bytes_max) break;
      const Refusal& refusal = pass.refusal();
      return refuse(refusal.status, refusal.detail, refusal.reason);
    }
    case RequestPass::Outcome::in_request_line:
      has_looked_ = true;
      end_.continue_from(bytes.size());
      return wait(bytes.size());
    case RequestPass::Outcome::in_headers:
      has_looked_ = has_line_ = true;
      // The line feed before the unfinished line may turn out to be the last but one.
      end_.continue_from(pass.offset() - 1);
      return wait(bytes.size());
  }
  return refuse(400, "request head too long");
}

// Limits of what has not ended. One byte more than a limit, since a CR may be the last.
ParseState RequestParser::wait(std::size_t bytes) {
  const std::size_t head_bytes = bytes - start_;
  if (!has_line_ && head_bytes > request_line_bytes_max + 1) {
    return refuse(414, "request line too long");
  }
  if (head_bytes > request_head_bytes_max) return refuse(400, "request head too long");
  return ParseState::need_more;
}

}  // namespace weir::http
