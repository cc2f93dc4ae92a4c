// The strict HTTP/1 parsers, for bytes that nobody vouches for.
//
// Heads: the caller keeps the bytes contiguous and calls parse() again with more of them; the scan
// goes on where it stopped, so a head that comes byte by byte costs O(n). Bodies: a decoder takes
// what arrived and tells which parts are content. Nothing here allocates once its vectors are warm;
// nothing throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/message.hpp"

namespace weir::http {

enum class ParseState : std::uint8_t {
  need_more,
  done,
  refused,  // answer with status() and close
};

class RequestParser {
 public:
  // `bytes` starts at the request's first byte and holds all that has arrived since. Empty lines
  // before the request line are skipped (RFC 9112 §2.2), at most 8. Done: `head` is filled with
  // views into `bytes`. A severe request is `done` with desync_class severe where its framing could
  // still be told apart by monitor mode, and `refused` with 400 where it could not.
  ParseState parse(std::string_view bytes, RequestHead& head);

  // Of a refusal: 400 (malformed, header limits), 414 (request line too long), 501 (unknown
  // transfer coding), 505 (HTTP/2 preface, HTTP/2.0 and above).
  [[nodiscard]] int status() const { return status_; }
  // A short reason for the log, and the classification.
  [[nodiscard]] std::string_view detail() const { return detail_; }
  [[nodiscard]] DesyncReason desync_reason() const { return desync_reason_; }

  void restart();  // for the next request

 private:
  ParseState refuse(int status, std::string_view detail, DesyncReason reason = DesyncReason::none);

  std::size_t scanned_ = 0;  // no end of the head before this offset
  int status_ = 0;
  std::string_view detail_;
  DesyncReason desync_reason_ = DesyncReason::none;
};

class ResponseParser {
 public:
  // `request_method` decides framing (HEAD: none). 1xx heads are returned like others; the caller
  // goes on with the bytes after head_bytes. Refused: the answer is malformed or its head exceeds
  // response_head_bytes_max: 502. Both Content-Length and Transfer-Encoding, several differing
  // lengths, or a transfer coding other than chunked are refused.
  ParseState parse(std::string_view bytes, Method request_method, ResponseHead& head);
  [[nodiscard]] std::string_view detail() const { return detail_; }
  void restart();

 private:
  ParseState refuse(std::string_view detail);

  std::size_t scanned_ = 0;
  std::string_view detail_;
};

// Decodes a chunked body (RFC 9112 §7.1) piece by piece. Strict: CRLF only, hexadecimal sizes of at
// most 16 digits without sign or 0x, extensions skipped and bounded, trailers bounded and validated.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;      // bytes of the input that are dealt with
    std::string_view content;      // a part of the input that is content; may be empty
    ParseState state = ParseState::need_more;  // done: the body, trailers included, has ended
  };
  // Deals with a prefix of `bytes`; call again with the rest until consumed is all of it or the
  // state is done or refused.
  Step step(std::string_view bytes);
  // Of a done body: the trailer fields as received, "Name: value\r\n" each, valid until restart().
  [[nodiscard]] std::string_view trailers() const;
  [[nodiscard]] std::string_view detail() const { return detail_; }
  void restart();

 private:
  enum class Phase : std::uint8_t {
    size, extension, size_lf, content, content_cr, content_lf, trailer, done
  };
  Phase phase_ = Phase::size;
  std::uint64_t left_ = 0;
  unsigned digits_ = 0;
  std::size_t line_bytes_ = 0;
  std::string_view detail_;
  std::vector<char> trailers_;
};

}  // namespace weir::http
