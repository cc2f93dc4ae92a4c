// The chunked decoder on hostile bytes: the same content, trailers and end however they come, and
// content written as one chunk decodes to itself.
#include <array>
#include <cstdint>

#include "fuzz_support.hpp"
#include "http/writer.hpp"

namespace weir::http::test {
namespace {

struct Decoded {
  bool done = false;
  std::string content;
  std::string trailers;
};

Decoded decode(std::string_view bytes) {
  ChunkedDecoder decoder;
  Decoded decoded;
  while (true) {
    const ChunkedDecoder::Step step = decoder.step(bytes);
    FUZZ_CHECK(step.consumed <= bytes.size(), bytes);
    FUZZ_CHECK(step.content.empty() ||
                   (step.content.data() >= bytes.data() &&
                    step.content.data() + step.content.size() <= bytes.data() + step.consumed),
               bytes);
    FUZZ_CHECK(step.consumed != 0 || bytes.empty() || step.state != ParseState::need_more, bytes);
    decoded.content.append(step.content);
    bytes.remove_prefix(step.consumed);
    decoded.done = step.state == ParseState::done;
    if (step.state != ParseState::need_more || bytes.empty()) break;
  }
  decoded.trailers = decoder.trailers();
  return decoded;
}

void check(std::string_view bytes) {
  const std::string whole = joined(chunked_facts(bytes, feed_whole(bytes.size())));
  FUZZ_CHECK(whole == joined(chunked_facts(bytes, feed_pieces(bytes))), whole);
  const Decoded decoded = decode(bytes);
  if (!decoded.done) return;
  std::array<char, chunk_size_line_bytes_max> line;
  std::string written;
  if (!decoded.content.empty()) {
    written.append(chunk_size_line(decoded.content.size(), line)).append(decoded.content);
    written.append(chunk_end);
  }
  written.append(chunk_size_line(0, line)).append(decoded.trailers).append(chunk_end);
  const Decoded again = decode(written);
  FUZZ_CHECK(again.done && again.content == decoded.content, written);
  FUZZ_CHECK(again.trailers == decoded.trailers, written);
}

}  // namespace
}  // namespace weir::http::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::http::test::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
