// The response parser on a hostile target's bytes: the same answer however they come, and what
// would be sent on to the client is to the same parser one response with the same framing. The
// first byte chooses the request's method.
#include <cstdint>
#include <span>

#include "fuzz_support.hpp"
#include "http/writer.hpp"

namespace weir::http::test {
namespace {

std::string forwarded(const ResponseHead& head, bool has_length) {
  std::string out = "HTTP/1.1 " + std::to_string(head.status) + " ";
  out.append(head.reason).append("\r\n");
  if (has_length) {
    out += "Content-Length: ";
    append_decimal(out, head.content_length);
    out += "\r\n";
  } else if (head.framing == Framing::chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  append_headers(out, std::span<const Header>(head.headers), is_end_to_end);
  return out + "\r\n";
}

void check(std::string_view bytes, Method method) {
  const std::string whole = joined(response_facts(bytes, method, feed_whole(bytes.size())));
  FUZZ_CHECK(whole == joined(response_facts(bytes, method, feed_pieces(bytes))), whole);
  ResponseParser parser;
  ResponseHead head;
  if (parser.parse(bytes, method, head) != ParseState::done) return;
  FUZZ_CHECK(head.status >= 100 && head.status <= 999, whole);
  const bool has_length = head.find(HeaderId::content_length) != nullptr;
  const std::string written = forwarded(head, has_length);
  if (written.size() > response_head_bytes_max || head.headers.size() > 1000) return;
  ResponseParser second;
  ResponseHead again;
  const ParseState state = second.parse(written, method, again);
  FUZZ_CHECK(state == ParseState::done, std::string(second.detail()) + "\n" + written);
  FUZZ_CHECK(again.head_bytes == written.size(), written);
  FUZZ_CHECK(again.status == head.status && again.reason == head.reason, written);
  FUZZ_CHECK(again.framing == head.framing, written);
  FUZZ_CHECK(again.content_length == head.content_length, written);
}

}  // namespace
}  // namespace weir::http::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weir::http::Method;
  if (size == 0) return 0;
  weir::http::test::check({reinterpret_cast<const char*>(data) + 1, size - 1},
                          data[0] == 'h' ? Method::head : Method::get);
  return 0;
}
