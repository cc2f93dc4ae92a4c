// What a stream still has to send: buffers in order, the first of which may be with the kernel.
//
// Small pieces are copied behind the last buffer where it has room, so that a peer that sends byte
// by byte does not hold a block for each, and one send carries many pieces.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "net/buffer.hpp"

namespace weir::net {

class SendQueue {
 public:
  static constexpr std::size_t copy_bytes_max = 2048;

  explicit SendQueue(BufferPool& pool) : buffers_(pool) {}

  [[nodiscard]] bool empty() const { return buffers_.empty(); }
  [[nodiscard]] bool has_one_piece() const { return buffers_.size() == 1; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // All that was ever pushed, and what was counted as having gone past the queue.
  [[nodiscard]] std::uint64_t bytes_in_all() const { return bytes_in_all_; }
  void count(std::size_t bytes) { bytes_in_all_ += bytes; }

  void push(Buffer data) {
    bytes_ += data.size();
    bytes_in_all_ += data.size();
    if (data.size() <= copy_bytes_max && can_append(data.size())) {
      buffers_.back().append(data.view());
    } else {
      buffers_.push(std::move(data));
    }
  }

  void push_copy(std::string_view bytes) {
    bytes_ += bytes.size();
    bytes_in_all_ += bytes.size();
    while (!bytes.empty()) {
      if (!can_append(1)) buffers_.push(buffers_.pool().acquire());
      Buffer& last = buffers_.back();
      const std::size_t part = std::min(bytes.size(), last.room());
      last.append(bytes.substr(0, part));
      bytes.remove_prefix(part);
    }
  }

  // Fills `out` from the front and returns how many entries it took. Those buffers are lent: they
  // stay where they are, unchanged, until sent().
  std::size_t lend(std::span<iovec> out) {
    std::size_t count = 0;
    lent_bytes_ = 0;
    buffers_.each([&](Buffer& buffer) {
      if (count == out.size()) return false;
      out[count++] = {buffer.data(), buffer.size()};
      lent_bytes_ += static_cast<std::uint32_t>(buffer.size());
      return true;
    });
    lent_ = static_cast<std::uint32_t>(count);
    return count;
  }

  [[nodiscard]] std::size_t lent_bytes() const { return lent_bytes_; }

  // The kernel took `bytes` from the front.
  void sent(std::size_t bytes) {
    lent_ = 0;
    bytes_ -= bytes;
    while (bytes > 0) {
      Buffer& front = buffers_.front();
      if (bytes < front.size()) return front.consume(bytes);
      bytes -= front.size();
      buffers_.pop();
    }
  }

  void clear() {
    buffers_.clear();
    lent_ = 0;
    bytes_ = 0;
  }

 private:
  [[nodiscard]] bool can_append(std::size_t bytes) const {
    return buffers_.size() > lent_ && buffers_.back().room() >= bytes;
  }

  BufferQueue buffers_;
  std::uint32_t lent_ = 0;  // of the first, how many the kernel reads from
  std::uint32_t lent_bytes_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t bytes_in_all_ = 0;
};

}  // namespace weir::net
