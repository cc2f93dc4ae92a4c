// weir.compression.*: hooks of the phase `receive response`.
//
// Where the target's answer may be compressed for this client, a BodyCompressor of the worker's
// stands between the body and the client's stream: what the target sends is compressed, flushed and
// sent as one or more chunks, block by block.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "net/loop.hpp"
#include "traffic/compression_policy.hpp"
#include "traffic/compressor.hpp"

namespace weir::proxy {

class BodyCompressor {
 public:
  BodyCompressor(traffic::Encoding encoding, std::unique_ptr<traffic::Compressor> compressor)
      : encoding_(encoding), compressor_(std::move(compressor)) {}

  [[nodiscard]] traffic::Encoding encoding() const { return encoding_; }
  // Changes the head of the response that is to be compressed. The head must be written before the
  // next call.
  void change(http::ResponseHead& head);
  // Sends chunks. False: the encoder has failed.
  [[nodiscard]] bool send(net::Stream& client, std::string_view content);
  // What is left, without the last chunk.
  [[nodiscard]] bool finish(net::Stream& client);
  [[nodiscard]] bool restart() { return compressor_->restart(); }

 private:
  traffic::Encoding encoding_;
  std::unique_ptr<traffic::Compressor> compressor_;
  std::string weak_etag_;
};

// A worker's compressors: idle ones are used again; the number in use, and so their memory, is
// bounded.
class CompressorPool {
 public:
  // nullptr: too many are in use; the response goes as it is.
  [[nodiscard]] std::unique_ptr<BodyCompressor> take(traffic::Encoding encoding);
  void give_back(std::unique_ptr<BodyCompressor> compressor);

 private:
  std::array<std::vector<std::unique_ptr<BodyCompressor>>, 4> idle_;  // by encoding
  std::size_t in_use_ = 0;
};

// What the client prefers of what the policy offers. HTTP/1.1 only: the body becomes chunked.
[[nodiscard]] traffic::Encoding wanted_encoding(const traffic::CompressionPolicy& policy,
                                                const http::RequestHead& head);

// Whether the answer is one of those that clients get compressed if they like: it has a body of a
// type and length that the policy names, whole (no 206), not encoded and not held against
// transformation by Cache-Control. That to HEAD is as the one to GET would be.
[[nodiscard]] bool is_compressible(const traffic::CompressionPolicy& policy,
                                   const http::ResponseHead& head, http::Method method);

// Tells caches that there may be other answers for other clients.
void add_vary(http::ResponseHead& head);

}  // namespace weir::proxy
