// The request parser on hostile bytes. Three properties: however the bytes come, the answer is the
// same; nothing is read beyond them; and what would be sent on to a target, written as the proxy
// writes it, is to the same strict parser exactly one request with the same target and framing.
#include <cstdint>
#include <span>

#include "fuzz_support.hpp"
#include "http/desync.hpp"
#include "http/writer.hpp"

namespace weir::http::test {
namespace {

std::string encoded(std::string_view text) {
  std::string out;
  append_target(out, text);
  return out;
}

std::string forwarded(const RequestHead& head) {
  std::string out(head.method_text);
  out += ' ';
  append_target(out, head.path);
  if (head.has_query) {
    out += '?';
    append_target(out, head.query);
  }
  out.append(" HTTP/1.1\r\nHost: ");
  out.append(head.authority.empty() ? "lb" : head.authority).append("\r\n");
  if (head.framing == Framing::content_length) {
    out += "Content-Length: ";
    append_decimal(out, head.content_length);
    out += "\r\n";
  } else if (head.framing == Framing::chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  append_headers(out, std::span<const Header>(head.headers), [](const Header& header) {
    return header.id != HeaderId::host && header.id != HeaderId::expect && is_end_to_end(header);
  });
  return out + "\r\n";
}

void check_views(std::string_view bytes, const RequestHead& head) {
  const auto inside = [&](std::string_view view) {
    return view.empty() || (view.data() >= bytes.data() &&
                            view.data() + view.size() <= bytes.data() + head.head_bytes);
  };
  FUZZ_CHECK(head.head_bytes <= bytes.size(), bytes);
  FUZZ_CHECK(inside(head.target) && inside(head.method_text) && inside(head.query), bytes);
  for (const Header& header : head.headers) {
    FUZZ_CHECK(inside(header.name) && inside(header.value), bytes);
    FUZZ_CHECK(header.id != HeaderId::other || !header.is_forwardable ||
                   look_alike(header.name) == LookAlike::none,
               bytes);
  }
}

void check_forwarded(const RequestHead& head) {
  if (head.headers.size() > 1000) return;
  const std::string written = forwarded(head);
  if (written.size() > request_head_bytes_max || head.target.size() * 3 > 16000) return;
  for (const Header& header : head.headers) {
    if (header.name.size() + header.value.size() > 16000) return;
  }
  RequestParser parser;
  RequestHead again;
  const ParseState state = parser.parse(written, again);
  FUZZ_CHECK(state == ParseState::done, std::string(parser.detail()) + "\n" + written);
  FUZZ_CHECK(again.head_bytes == written.size(), written);
  FUZZ_CHECK(again.method_text == head.method_text, written);
  FUZZ_CHECK(again.path == encoded(head.path), written);
  FUZZ_CHECK(again.has_query == head.has_query && again.query == encoded(head.query), written);
  FUZZ_CHECK(head.authority.empty() || again.authority == head.authority, written);
  FUZZ_CHECK(again.framing == head.framing, written);
  FUZZ_CHECK(again.content_length == head.content_length, written);
  FUZZ_CHECK(!again.target_needs_encoding, written);
  switch (again.desync_reason) {
    case DesyncReason::none:
    case DesyncReason::bad_method:
    case DesyncReason::get_head_zero_content_length:
    case DesyncReason::non_compliant_header:
    case DesyncReason::undefined_content_length_semantics:
    case DesyncReason::undefined_transfer_encoding_semantics:
      return;
    default:
      FUZZ_CHECK(false, std::string(to_string(again.desync_reason)) + "\n" + written);
  }
}

void check(std::string_view bytes) {
  const std::string whole = joined(request_facts(bytes, feed_whole(bytes.size())));
  FUZZ_CHECK(whole == joined(request_facts(bytes, feed_pieces(bytes))), whole);
  RequestParser parser;
  RequestHead head;
  if (parser.parse(bytes, head) != ParseState::done) return;
  check_views(bytes, head);
  check_forwarded(head);
}

}  // namespace
}  // namespace weir::http::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::http::test::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
