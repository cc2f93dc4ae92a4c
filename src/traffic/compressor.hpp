// Compressing a body as it passes: gzip (zlib), br (libbrotli), zstd (libzstd).
//
// A Compressor belongs to one response at a time. What is written is flushed: the reader can decode
// all that it has been given, so a stream of events stays one. Memory is bounded by the window that
// each encoder is given: 256 KiB (gzip: 32 KiB), below 2 MiB in all.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "traffic/accept_encoding.hpp"

namespace weir::traffic {

class Compressor {
 public:
  // Takes compressed bytes, a few KiB at a time; a view for the call only.
  using Sink = std::function<void(std::string_view)>;

  // `encoding` is not identity. nullptr: out of memory.
  [[nodiscard]] static std::unique_ptr<Compressor> create(Encoding encoding);
  virtual ~Compressor() = default;

  // False: the encoder has failed, and the response cannot be completed.
  [[nodiscard]] virtual bool write(std::string_view bytes, const Sink& sink) = 0;
  // The end of the body. Nothing is written after it until restart().
  [[nodiscard]] virtual bool finish(const Sink& sink) = 0;
  // For another response. False: it is of no further use.
  [[nodiscard]] virtual bool restart() = 0;
};

}  // namespace weir::traffic
