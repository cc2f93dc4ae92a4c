// Writing heads, chunk lines and dates.
//
// What is written per request goes to an `Out`: anything with append(std::string_view), such as
// std::string or net::Buffer; the caller has made room.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace weir::http {

// "Tue, 24 Nov 2026 20:05:12 GMT" (RFC 9110 §5.6.7) for wall-clock seconds of the years 0 to 9999.
using HttpDate = std::array<char, 29>;
[[nodiscard]] HttpDate make_http_date(std::int64_t unix_seconds);
[[nodiscard]] std::string http_date(std::int64_t unix_seconds);

// The date of now, formatted once a second. One a worker.
class DateCache {
 public:
  // Valid until the next call with another second.
  [[nodiscard]] std::string_view at(std::int64_t unix_seconds) {
    if (unix_seconds != unix_seconds_) {
      unix_seconds_ = unix_seconds;
      date_ = make_http_date(unix_seconds);
    }
    return {date_.data(), date_.size()};
  }

 private:
  std::int64_t unix_seconds_ = -1;
  HttpDate date_ = make_http_date(-1);
};

template <typename Out>
void append_decimal(Out& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(std::string_view(digits.data(), written.ptr));
}

// "1a3f\r\n" in `buffer`: what stands before a chunk's content. Size 0: the last chunk's line.
inline constexpr std::size_t chunk_size_line_bytes_max = 18;
[[nodiscard]] inline std::string_view chunk_size_line(
    std::uint64_t size, std::span<char, chunk_size_line_bytes_max> buffer) {
  char* end = std::to_chars(buffer.data(), buffer.data() + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {buffer.data(), end};
}
// What stands after a chunk's content; after the last chunk's line and the trailers.
inline constexpr std::string_view chunk_end = "\r\n";
// A body's end without trailers.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

// The target with what would end or split it percent-encoded (spaces, control characters, '#'), so
// that the next parser sees the same one: where RequestHead::target_needs_encoding says so, for
// target, path or query. At most three times as long.
template <typename Out>
void append_target(Out& out, std::string_view target) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::size_t start = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const auto c = static_cast<unsigned char>(target[i]);
    if (c > 0x20 && c != 0x7f && c != '#') continue;
    out.append(target.substr(start, i - start));
    const std::array<char, 3> code = {'%', hex[c >> 4], hex[c & 15]};
    out.append(std::string_view(code.data(), code.size()));
    start = i + 1;
  }
  out.append(target.substr(start));
}

// "Name: value\r\n" for each header that `keep` wants, in order. Neighbours that were received in
// exactly this form are copied as one block, so that a head that needs few changes costs few
// copies. `headers` are views into one head (of a parser).
template <typename Out, typename Keep>
void append_headers(Out& out, std::span<const Header> headers, Keep keep) {
  const char* block = nullptr;  // of lines to copy as they are, up to block_end
  const char* block_end = nullptr;
  const auto flush = [&] {
    if (block != block_end) out.append(std::string_view(block, block_end));
    block = block_end = nullptr;
  };
  for (const Header& header : headers) {
    if (!keep(header)) continue;
    const char* name = header.name.data();
    const char* name_end = name + header.name.size();
    const char* value = header.value.data();
    const bool is_exact = value == name_end + 2 && name_end[0] == ':' && name_end[1] == ' ' &&
                          value[header.value.size()] == '\r' &&
                          value[header.value.size() + 1] == '\n';
    if (!is_exact) {
      flush();
      out.append(header.name);
      out.append(std::string_view(": "));
      out.append(header.value);
      out.append(std::string_view("\r\n"));
      continue;
    }
    if (name != block_end) {
      flush();
      block = name;
    }
    block_end = value + header.value.size() + 2;
  }
  flush();
}

// Whether the header belongs to the message and not to the connection it came by (RFC 9110
// §7.6.1), nor to the framing, which is written anew: what append_headers() should keep at most.
[[nodiscard]] inline bool is_end_to_end(const Header& header) {
  switch (header.id) {
    case HeaderId::connection:
    case HeaderId::content_length:
    case HeaderId::keep_alive:
    case HeaderId::proxy_connection:
    case HeaderId::te:
    case HeaderId::transfer_encoding:
    case HeaderId::upgrade:
      return false;
    default:
      return header.is_forwardable;
  }
}

}  // namespace weir::http
