// The parser of targets' responses: one pass, like the request's, but without shades: what is
// malformed is refused (502, reference §5.8), since the client must not see another body than we.
#include <cstring>

#include "http/fields.hpp"
#include "http/parser.hpp"
#include "http/scan.hpp"

namespace weir::http {
namespace {

class ResponsePass {
 public:
  ResponsePass(std::string_view bytes, Method request_method, ResponseHead& head)
      : begin_(bytes.data()),
        at_(begin_),
        end_(begin_ + bytes.size()),
        request_method_(request_method),
        head_(head) {}

  enum class Outcome : std::uint8_t { done, refused, in_status_line, in_headers };
  Outcome run();

  [[nodiscard]] std::string_view refusal() const { return refusal_; }
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  bool status_line(std::string_view line);
  Outcome headers();
  void odd_header(std::string_view line, Header& header);
  void use(const Header& header);
  void finish();
  void judge_body();

  void refuse(std::string_view detail) {
    if (refusal_.empty()) refusal_ = detail;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  Method request_method_;
  ResponseHead& head_;
  std::string_view refusal_;
  BodyFields body_;
  ConnectionOptions connection_;
};

ResponsePass::Outcome ResponsePass::run() {
  head_.headers.clear();
  head_.framing = Framing::none;
  head_.content_length = 0;
  head_.keep_alive = true;
  head_.head_bytes = 0;
  const Line line = take_line(at_, end_);
  if (line.next == nullptr) return Outcome::in_status_line;
  if (!status_line(line.text)) {
    refuse("malformed status line");
    return Outcome::refused;
  }
  at_ = line.next;
  const Outcome outcome = headers();
  if (outcome != Outcome::done) return outcome;
  head_.head_bytes = static_cast<std::size_t>(at_ - begin_);
  finish();
  return refusal_.empty() ? Outcome::done : Outcome::refused;
}

// "HTTP/1.1 200 OK"; the space before an empty reason phrase is often left out.
bool ResponsePass::status_line(std::string_view line) {
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || !is_digit(line[7]) || line[8] != ' ') {
    return false;
  }
  if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return false;
  head_.version = line[7] == '0' ? Version::http_1_0 : Version::http_1_1;
  head_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head_.status < 100) return false;
  if (line.size() > 12 && line[12] != ' ') return false;
  head_.reason = line.size() > 12 ? line.substr(13) : std::string_view();
  return (classes_of(head_.reason) & is_control) == 0;
}

ResponsePass::Outcome ResponsePass::headers() {
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
      next = line.next;
      if (line.text.empty()) {
        at_ = next;
        return Outcome::done;
      }
      odd_header(line.text, header);
    }
    at_ = next;
    if (header.id != HeaderId::other) use(header);
    if (head_.headers.size() < header_count_max) {
      head_.headers.push_back(header);
    } else {
      refuse("too many headers");
    }
  }
}

void ResponsePass::odd_header(std::string_view line, Header& header) {
  if ((classes_of(line) & is_forbidden) != 0) return refuse("NUL or CR in a header");
  // RFC 9112 §5.2: discard and answer 502, or unfold; we do the former.
  if (is_in(line.front(), is_space)) return refuse("folded header");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return refuse("header without a colon");
  // RFC 9112 §5.1: a proxy removes white space before the colon.
  header.name = trim_spaces(line.substr(0, colon));
  header.value = trim_spaces(line.substr(colon + 1));
  if (header.name.empty() || !all_in(header.name, in_token)) return refuse("malformed header name");
  header.id = header_id(header.name);
  header.is_name_valid = all_in(header.name, in_name);
}

void ResponsePass::use(const Header& header) {
  switch (header.id) {
    case HeaderId::content_length:
      body_.add_content_length(header.value);
      return;
    case HeaderId::transfer_encoding:
      body_.add_transfer_encoding(header.value);
      return;
    case HeaderId::connection:
      connection_.add(header.value);
      return;
    default:
      return;
  }
}

// RFC 9112 §6.3.
void ResponsePass::judge_body() {
  const bool has_te = body_.transfer_encodings != 0;
  const bool has_cl = body_.content_lengths != 0;
  if (body_.is_length_bad) return refuse("malformed Content-Length");
  if (body_.is_length_different) return refuse("Content-Lengths differ");
  if (has_te && has_cl) return refuse("Content-Length and Transfer-Encoding");
  if (has_te && head_.version == Version::http_1_0) {
    return refuse("Transfer-Encoding in HTTP/1.0");  // RFC 9112 §6.1: faulty framing
  }
  if (has_te && (!body_.is_chunked || body_.is_chunked_not_last || body_.is_coding_unknown ||
                 body_.is_coding_malformed)) {
    return refuse("transfer coding other than chunked");
  }
  if (has_cl) head_.content_length = body_.content_length;
  if (request_method_ == Method::head || head_.status == 304) return;
  if (head_.status < 200 || head_.status == 204) {
    // No body, whatever the head says; if it says otherwise, what follows cannot be trusted.
    if (has_te || head_.content_length != 0) head_.keep_alive = false;
    return;
  }
  if (has_te) {
    head_.framing = Framing::chunked;
  } else if (has_cl) {
    head_.framing = Framing::content_length;
  } else {
    head_.framing = Framing::until_close;
    head_.keep_alive = false;
  }
}

void ResponsePass::finish() {
  judge_body();
  if (connection_.close || (head_.version == Version::http_1_0 && !connection_.keep_alive)) {
    head_.keep_alive = false;
  }
  if (connection_.names > ConnectionOptions::names_max) {
    refuse("too many connection options");
  } else if (connection_.names != 0) {
    mark_connection_fields(head_.headers);
  }
}

}  // namespace

ParseState ResponseParser::refuse(std::string_view detail) {
  detail_ = detail;
  return ParseState::refused;
}

void ResponseParser::restart() {
  has_looked_ = has_line_ = false;
  end_.restart();
  detail_ = {};
}

ParseState ResponseParser::parse(std::string_view bytes, Method request_method,
                                 ResponseHead& head) {
  if (bytes.empty()) return ParseState::need_more;
  // What cannot become a status line is refused before its end: the target speaks no HTTP/1.
  constexpr std::string_view prefix = "HTTP/1.";
  if (bytes.substr(0, prefix.size()) != prefix.substr(0, bytes.size())) {
    return refuse("malformed status line");
  }
  if (has_looked_) {
    if (!has_line_ ? !end_.has_line(bytes) : !end_.is_in(bytes)) return wait(bytes.size());
  }
  return first_look(bytes, request_method, head);
}

ParseState ResponseParser::first_look(std::string_view bytes, Method request_method,
                                      ResponseHead& head) {
  ResponsePass pass(bytes, request_method, head);
  switch (pass.run()) {
    case ResponsePass::Outcome::done:
    case ResponsePass::Outcome::refused:
      if (head.head_bytes > response_head_bytes_max) return refuse("response head too long");
      return pass.refusal().empty() ? ParseState::done : refuse(pass.refusal());
    case ResponsePass::Outcome::in_status_line:
      has_looked_ = true;
      end_.continue_from(bytes.size());
      break;
    case ResponsePass::Outcome::in_headers:
      has_looked_ = has_line_ = true;
      // The line feed before the unfinished line may turn out to be the last but one.
      end_.continue_from(pass.offset() - 1);
      break;
  }
  return wait(bytes.size());
}

ParseState ResponseParser::wait(std::size_t bytes) {
  return bytes > response_head_bytes_max ? refuse("response head too long") : ParseState::need_more;
}

}  // namespace weir::http
