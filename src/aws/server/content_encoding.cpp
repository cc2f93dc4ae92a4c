#include "aws/server/content_encoding.hpp"

#include <zlib.h>

#include <array>

namespace weir::aws {
namespace {

constexpr int gzip_window_bits = 15 + 16;  // zlib's way to ask for gzip's frame

// Until the end of the stream; false: it has none within the bounds.
bool inflate_all(z_stream& stream, std::size_t bytes_max, std::string& to) {
  std::array<char, 16 * 1024> block;
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    const auto made = block.size() - stream.avail_out;
    if (made > bytes_max - to.size()) return false;
    to.append(block.data(), made);
    if (status == Z_STREAM_END) return stream.avail_in == 0;
    if (status != Z_OK || made == 0) return false;
  }
}

}  // namespace

std::optional<std::string> gunzip(std::string_view bytes, std::size_t bytes_max) {
  z_stream stream{};
  if (::inflateInit2(&stream, gzip_window_bits) != Z_OK) return std::nullopt;
  // zlib does not write to what it reads.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  const bool is_whole = inflate_all(stream, bytes_max, text);
  ::inflateEnd(&stream);
  return is_whole ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace weir::aws
