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
#include <vector>

#include "net/buffer.hpp"

namespace weir::net {

class SendQueue {
 public:
  static constexpr std::size_t copy_bytes_max = 2048;

  [[nodiscard]] bool empty() const { return head_ == buffers_.size(); }
  [[nodiscard]] bool has_one_piece() const { return buffers_.size() - head_ == 1; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // All that was ever pushed.
  [[nodiscard]] std::uint64_t bytes_in_all() const { return bytes_in_all_; }

  void push(Buffer data) {
    bytes_ += data.size();
    bytes_in_all_ += data.size();
    if (data.size() <= copy_bytes_max && can_append(data.size())) {
      buffers_.back().append(data.view());
    } else {
      buffers_.push_back(std::move(data));
    }
  }

  void push_copy(BufferPool& pool, std::string_view bytes) {
    bytes_ += bytes.size();
    bytes_in_all_ += bytes.size();
    while (!bytes.empty()) {
      if (!can_append(1)) buffers_.push_back(pool.acquire());
      const std::size_t part = std::min(bytes.size(), buffers_.back().room());
      buffers_.back().append(bytes.substr(0, part));
      bytes.remove_prefix(part);
    }
  }

  // Fills `out` from the front and returns how many entries it took. Those buffers are lent: they
  // stay where they are, unchanged, until sent().
  std::size_t lend(std::span<iovec> out) {
    std::size_t count = 0;
    for (std::size_t i = head_; i < buffers_.size() && count < out.size(); ++i, ++count)
      out[count] = {buffers_[i].data(), buffers_[i].size()};
    lent_ = count;
    return count;
  }

  // The kernel took `bytes` from the front.
  void sent(std::size_t bytes) {
    lent_ = 0;
    bytes_ -= bytes;
    while (bytes > 0) {
      Buffer& front = buffers_[head_];
      if (bytes < front.size()) {
        front.consume(bytes);
        return;
      }
      bytes -= front.size();
      front.reset();
      ++head_;
    }
    if (head_ == buffers_.size()) {
      buffers_.clear();  // keeps its memory
      head_ = 0;
    } else if (head_ > 64) {
      buffers_.erase(buffers_.begin(), buffers_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }

  void clear() {
    buffers_.clear();
    head_ = lent_ = bytes_ = 0;
  }

 private:
  [[nodiscard]] bool can_append(std::size_t bytes) const {
    return buffers_.size() > head_ + lent_ && buffers_.back().room() >= bytes;
  }

  std::vector<Buffer> buffers_;
  std::size_t head_ = 0;  // the first not yet sent
  std::size_t lent_ = 0;  // of those, how many the kernel reads from
  std::size_t bytes_ = 0;
  std::uint64_t bytes_in_all_ = 0;
};

}  // namespace weir::net
