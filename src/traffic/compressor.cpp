#include "traffic/compressor.hpp"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdint>

namespace weir::traffic {
namespace {

constexpr std::size_t output_bytes = 8192;
// Levels that compress text well and cost about as much as sending it would.
constexpr int gzip_level = 5;
constexpr int brotli_quality = 4;
constexpr int zstd_level = 3;
constexpr int window_bits = 18;

class Gzip final : public Compressor {
 public:
  Gzip() {
    constexpr int with_gzip_header = 15 + 16;
    constexpr int memory_level = 8;
    is_ready_ = deflateInit2(&stream_, gzip_level, Z_DEFLATED, with_gzip_header, memory_level,
                             Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Gzip() override {
    if (is_ready_) deflateEnd(&stream_);
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  [[nodiscard]] bool is_ready() const { return is_ready_; }

  bool write(std::string_view bytes, const Sink& sink) override {
    return run(bytes, Z_SYNC_FLUSH, sink);
  }
  bool finish(const Sink& sink) override { return run({}, Z_FINISH, sink); }
  bool restart() override { return deflateReset(&stream_) == Z_OK; }

 private:
  bool run(std::string_view bytes, int flush, const Sink& sink) {
    std::array<Bytef, output_bytes> out;
    // zlib reads only, but its interface does not say so.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = out.data();
      stream_.avail_out = output_bytes;
      const int result = deflate(&stream_, flush);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
      const std::size_t produced = output_bytes - stream_.avail_out;
      if (produced > 0) sink({reinterpret_cast<const char*>(out.data()), produced});
    } while (stream_.avail_out == 0);
    return true;
  }

  z_stream stream_{};
  bool is_ready_ = false;
};

class Brotli final : public Compressor {
 public:
  Brotli() { static_cast<void>(restart()); }

  bool write(std::string_view bytes, const Sink& sink) override {
    return run(bytes, BROTLI_OPERATION_FLUSH, sink);
  }
  bool finish(const Sink& sink) override { return run({}, BROTLI_OPERATION_FINISH, sink); }
  // Its library knows no reset: a new one.
  bool restart() override {
    state_.reset(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
    return is_ready() &&
           BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, brotli_quality) ==
               BROTLI_TRUE &&
           BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, window_bits) == BROTLI_TRUE;
  }
  [[nodiscard]] bool is_ready() const { return state_ != nullptr; }

 private:
  struct Destroy {
    void operator()(BrotliEncoderState* state) const { BrotliEncoderDestroyInstance(state); }
  };

  bool run(std::string_view bytes, BrotliEncoderOperation operation, const Sink& sink) {
    std::size_t left = bytes.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(bytes.data());
    do {
      std::size_t no_room = 0;  // it lends its own output instead
      if (BrotliEncoderCompressStream(state_.get(), operation, &left, &next, &no_room, nullptr,
                                      nullptr) != BROTLI_TRUE)
        return false;
      while (BrotliEncoderHasMoreOutput(state_.get()) == BROTLI_TRUE) {
        std::size_t produced = output_bytes;
        const std::uint8_t* out = BrotliEncoderTakeOutput(state_.get(), &produced);
        sink({reinterpret_cast<const char*>(out), produced});
      }
    } while (left > 0);
    return true;
  }

  std::unique_ptr<BrotliEncoderState, Destroy> state_;
};

class Zstd final : public Compressor {
 public:
  Zstd() : context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) return;
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, zstd_level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, window_bits);
  }

  bool write(std::string_view bytes, const Sink& sink) override {
    return run(bytes, ZSTD_e_flush, sink);
  }
  bool finish(const Sink& sink) override { return run({}, ZSTD_e_end, sink); }
  bool restart() override {
    return ZSTD_isError(ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only)) == 0;
  }
  [[nodiscard]] bool is_ready() const { return context_ != nullptr; }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };

  bool run(std::string_view bytes, ZSTD_EndDirective directive, const Sink& sink) {
    std::array<char, output_bytes> out;
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    std::size_t remaining = 0;
    do {
      ZSTD_outBuffer output{out.data(), out.size(), 0};
      remaining = ZSTD_compressStream2(context_.get(), &output, &input, directive);
      if (ZSTD_isError(remaining) != 0) return false;
      if (output.pos > 0) sink({out.data(), output.pos});
    } while (remaining > 0);
    return true;
  }

  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

template <typename Encoder>
std::unique_ptr<Compressor> made() {
  auto encoder = std::make_unique<Encoder>();
  if (!encoder->is_ready()) return nullptr;
  return encoder;
}

}  // namespace

std::unique_ptr<Compressor> Compressor::create(Encoding encoding) {
  switch (encoding) {
    case Encoding::br:
      return made<Brotli>();
    case Encoding::gzip:
      return made<Gzip>();
    case Encoding::zstd:
      return made<Zstd>();
    case Encoding::identity:
      break;
  }
  return nullptr;
}

}  // namespace weir::traffic
