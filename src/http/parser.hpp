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
#include <vector>

#include "http/message.hpp"

namespace weir::http {

// The search for a head's end, once a first look has not found it: each byte is looked at once,
// however slowly they come.
class HeadEnd {
 public:
  void restart() { scanned_ = 0; }
  void continue_from(std::size_t offset) { scanned_ = offset; }
  // Whether `bytes` holds an empty line (CRLF or LF) after a line that ends at or after the offset.
  [[nodiscard]] bool is_in(std::string_view bytes);
  // Whether a line ends at or after the offset.
  [[nodiscard]] bool has_line(std::string_view bytes);

 private:
  std::size_t scanned_ = 0;
};

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

  // Of a refusal: 400 (malformed, header limits), 405 (CONNECT), 414 (request line too long), 501
  // (unknown transfer coding), 505 (HTTP/2 preface, any major version but 1).
  [[nodiscard]] int status() const { return status_; }
  // A short reason for the log, and the classification (its class: desync_class_of()).
  [[nodiscard]] std::string_view detail() const { return detail_; }
  [[nodiscard]] DesyncReason desync_reason() const { return desync_reason_; }

  void restart();  // for the next request

 private:
  ParseState first_look(std::string_view bytes, RequestHead& head);
  ParseState wait(std::size_t bytes);
  ParseState refuse(int status, std::string_view detail, DesyncReason reason = DesyncReason::none);

  std::size_t start_ = 0;        // bytes of the empty lines before the request line
  std::size_t empty_lines_ = 0;  // their number
  bool has_looked_ = false;      // a first look found no end
  bool has_line_ = false;        // and the request line was complete and sound
  HeadEnd end_;
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
  ParseState first_look(std::string_view bytes, Method request_method, ResponseHead& head);
  ParseState wait(std::size_t bytes);
  ParseState refuse(std::string_view detail);

  bool has_looked_ = false;
  bool has_line_ = false;
  HeadEnd end_;
  std::string_view detail_;
};

// Decodes a chunked body (RFC 9112 §7.1) piece by piece. Strict: CRLF only, hexadecimal sizes of at
// most 16 digits without sign or 0x, extensions skipped and bounded, trailers bounded and validated
// (Transfer-Encoding, Content-Length, their look-alikes and Host are refused there).
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;                  // bytes of the input that are dealt with
    std::string_view content;                  // a part of the input that is content; may be empty
    ParseState state = ParseState::need_more;  // done: the body, trailers included, has ended
  };
  // Deals with a prefix of `bytes`; call again with the rest until consumed is all of it or the
  // state is done or refused.
  Step step(std::string_view bytes);
  // Of a done body: the trailer fields as received, "Name: value\r\n" each, valid until restart().
  // Those that concern one connection or have an id are left out.
  [[nodiscard]] std::string_view trailers() const;
  [[nodiscard]] std::string_view detail() const { return detail_; }
  void restart();

 private:
  enum class Phase : std::uint8_t {
    size,
    space,
    extension,
    size_lf,
    content,
    content_cr,
    content_lf,
    trailer,
    done
  };
  bool take(char c);
  bool take_size(char c);
  bool take_extension(char c);
  bool end_size_line();
  bool take_trailer(char c);
  bool end_trailer_line(std::string_view line);
  bool refuse(std::string_view detail);

  Phase phase_ = Phase::size;
  std::uint64_t left_ = 0;
  unsigned digits_ = 0;
  std::size_t line_bytes_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string_view detail_;
  std::vector<char> trailers_;
};

}  // namespace weir::http
