// Lists and framing fields, read without lenience: what another parser might read otherwise is
// noted as such, and judged by the request or response parser.
#include "http/fields.hpp"

#include <algorithm>
#include <limits>

namespace weir::http {
namespace {

bool equal_fold(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_registered_coding(std::string_view coding) {
  return is_word<"gzip">(coding) || is_word<"deflate">(coding) || is_word<"compress">(coding) ||
         is_word<"x-gzip">(coding) || is_word<"x-compress">(coding);
}

bool is_known_option(std::string_view option) {
  return is_word<"close">(option) || is_word<"keep-alive">(option) || is_word<"upgrade">(option);
}

}  // namespace

bool parse_content_length(std::string_view value, std::uint64_t& length) {
  if (value.empty()) return false;
  constexpr std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t sum = 0;
  for (const char c : value) {
    if (!is_digit(c)) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (sum > (limit - digit) / 10) return false;
    sum = sum * 10 + digit;
  }
  length = sum;
  return true;
}

void BodyFields::add_transfer_encoding(std::string_view value) {
  ++transfer_encodings;
  if (is_word<"chunked">(value) && transfer_encodings == 1) {  // nearly always
    is_chunked = true;
    transfer_codings = 1;
    return;
  }
  // Unlike other lists: an empty element (", chunked") makes the whole malformed, as in reference
  // §6.3 point 5; those who send it test who overlooks it.
  while (true) {
    const std::size_t comma = value.find(',');
    add_coding(trim_spaces(value.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    value.remove_prefix(comma + 1);
  }
}

void BodyFields::add_coding(std::string_view coding) {
  ++transfer_codings;
  if (is_chunked) is_chunked_not_last = true;
  if (is_word<"chunked">(coding)) {
    if (is_chunked || is_chunked_not_last) is_chunked_repeated = true;
    is_chunked = true;
    return;
  }
  is_chunked = false;
  if (is_word<"identity">(coding)) return;
  if (coding.empty() || !all_in(coding, in_token)) {
    is_coding_malformed = true;
    return;
  }
  is_coding_unknown = true;
  if (!is_registered_coding(coding)) is_coding_unregistered = true;
}

void BodyFields::add_content_length(std::string_view value) {
  ++content_lengths;
  std::uint64_t length = 0;
  if (!parse_content_length(value, length)) {
    is_length_bad_first = is_length_bad_first || !is_length_different;
    is_length_bad = true;
  } else if (content_lengths > 1 && length != content_length) {
    is_length_different = true;
  } else {
    content_length = length;
  }
}

void ConnectionOptions::add(std::string_view value) {
  if (is_word<"keep-alive">(value)) {
    keep_alive = true;
    return;
  }
  for_each_element(value, [&](std::string_view option) {
    if (is_word<"close">(option)) {
      close = true;
    } else if (is_word<"keep-alive">(option)) {
      keep_alive = true;
    } else if (is_word<"upgrade">(option)) {
      upgrade = true;
    } else {
      ++names;
    }
  });
}

void mark_connection_fields(std::vector<Header>& headers) {
  for (const Header& connection : headers) {
    if (connection.id != HeaderId::connection) continue;
    for_each_element(connection.value, [&](std::string_view option) {
      if (is_known_option(option)) return;
      for (Header& header : headers) {
        if (header.id == HeaderId::other && equal_fold(header.name, option)) {
          header.is_forwardable = false;
        }
      }
    });
  }
}

}  // namespace weir::http
