// Header lines and the fields that both parsers must understand: framing, connection options.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "http/header_names.hpp"
#include "http/message.hpp"
#include "http/scan.hpp"

namespace weir::http {

// A line without its end. CRLF, and LF alone (RFC 9112 §2.2 lets a recipient take it): everything
// is written anew when it is sent on, so no later reader sees a bare LF.
struct Line {
  std::string_view text;
  bool is_crlf = true;
  const char* next = nullptr;  // nullptr: the line has not ended yet
};

[[nodiscard]] inline Line take_line(const char* at, const char* end) {
  const void* found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
  if (found == nullptr) return {};
  const char* lf = static_cast<const char*>(found);
  const bool is_crlf = lf != at && lf[-1] == '\r';
  return {{at, static_cast<std::size_t>(lf - at) - (is_crlf ? 1 : 0)}, is_crlf, lf + 1};
}

// The shape that nearly all lines have: name in [-A-Za-z0-9]+, ':', printable ASCII, CRLF. Returns
// the next line, or nullptr where this line has another shape or has not ended: then it is for
// take_line() and slower eyes.
[[nodiscard]] inline const char* plain_header(const char* at, const char* end, Header& header) {
  const char* colon = skip_name(at, end);
  if (colon == at || colon == end || *colon != ':') return nullptr;
  const char* value = colon + 1;
  while (value != end && (*value == ' ' || *value == '\t')) ++value;
  const char* stop = value;
  while (true) {
    stop = skip_printable(stop, end);
    if (end - stop < 2) return nullptr;
    if (*stop != '\t') break;
    ++stop;
  }
  if (stop[0] != '\r' || stop[1] != '\n') return nullptr;
  const char* last = stop;
  while (last != value && (last[-1] == ' ' || last[-1] == '\t')) --last;
  header.name = {at, static_cast<std::size_t>(colon - at)};
  header.value = {value, static_cast<std::size_t>(last - value)};
  header.id = id_of_name(at, header.name.size());
  return stop + 2;
}

// Calls `use` with each element of a comma-separated list (RFC 9110 §5.6.1), without the white
// space around it; empty ones are skipped.
template <typename Use>
void for_each_element(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim_spaces(list.substr(0, comma));
    if (!element.empty()) use(element);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
}

// Digits only, fits 64 bits (RFC 9110 §8.6). No sign, no list, no empty value.
[[nodiscard]] bool parse_content_length(std::string_view value, std::uint64_t& length);

// Everything that Transfer-Encoding and Content-Length say, over all their lines.
struct BodyFields {
  std::uint32_t transfer_encodings = 0;  // lines
  std::uint32_t transfer_codings = 0;
  bool is_chunked = false;  // the last coding
  bool is_chunked_repeated = false;
  bool is_chunked_not_last = false;
  bool is_coding_malformed = false;  // no token, parameters, an empty list
  bool is_coding_unknown = false;    // a token other than chunked and identity
  bool is_coding_unregistered = false;
  std::uint32_t content_lengths = 0;  // lines
  bool is_length_bad = false;
  bool is_length_bad_first = false;  // before lengths that differ
  bool is_length_different = false;
  std::uint64_t content_length = 0;

  void add_transfer_encoding(std::string_view value);
  void add_content_length(std::string_view value);

 private:
  void add_coding(std::string_view coding);
};

// What Connection says, over all its lines.
struct ConnectionOptions {
  static constexpr std::size_t names_max = 32;

  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  std::uint32_t names = 0;  // of other fields

  void add(std::string_view value);
};

// RFC 9110 §7.6.1: fields named by Connection end here. Only fields without an id: the others are
// either handled by id anyway or too important for a peer to remove (Host, Cookie, …).
void mark_connection_fields(std::vector<Header>& headers);

}  // namespace weir::http
