// Bytes that must be contiguous to be parsed or sent: one block of the loop, or, for the rare head
// that is larger, a string.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "net/loop.hpp"

namespace weir::proxy {

class ByteWindow {
 public:
  [[nodiscard]] std::string_view view() const {
    return long_.empty() ? block_.view() : std::string_view(long_).substr(long_start_);
  }
  [[nodiscard]] bool empty() const { return view().empty(); }

  // Bytes that can be appended without a larger string.
  [[nodiscard]] std::size_t room() const { return long_.empty() ? block_.room() : 0; }

  // Takes what a stream received.
  void add(net::Buffer data) {
    if (long_.empty() && block_.empty()) {
      block_ = std::move(data);
    } else {
      append(data.view());
    }
  }

  // A block to write into, when nothing is held yet.
  void start(net::Loop& loop) { block_ = loop.buffer(); }

  void append(std::string_view bytes) {
    if (long_.empty()) {
      if (bytes.size() <= block_.room()) return block_.append(bytes);
      long_.assign(block_.view());
      long_start_ = 0;
      block_.reset();
    }
    long_.append(bytes);
  }

  // For HeadWriter: writes behind what is held, where the block has room, and says how much.
  [[nodiscard]] char* end() { return block_.data() + block_.size(); }
  void wrote(std::size_t bytes) { block_.set_size(block_.size() + bytes); }

  // Gives the block back and keeps what is held in a string of its size.
  void leave_block() {
    if (!long_.empty() || block_.empty()) return;
    long_.assign(block_.view());
    long_start_ = 0;
    block_.reset();
  }

  void consume(std::size_t bytes) {
    if (bytes == view().size()) return clear();
    if (long_.empty()) {
      block_.consume(bytes);
    } else {
      long_start_ += bytes;
    }
  }

  // Gives what is held to `take` as buffers, and is empty afterwards.
  template <typename Take>
  void drain(net::Loop& loop, Take take) {
    if (long_.empty()) {
      net::Buffer block = std::move(block_);
      if (!block.empty()) take(std::move(block));
      return;
    }
    const std::string bytes = std::move(long_);
    std::string_view left = std::string_view(bytes).substr(long_start_);
    clear();
    while (!left.empty()) {
      net::Buffer block = loop.buffer();
      const auto part = left.substr(0, block.room());
      block.append(part);
      left.remove_prefix(part.size());
      take(std::move(block));
    }
  }

  void clear() {
    block_.reset();
    long_ = {};
    long_start_ = 0;
  }

 private:
  net::Buffer block_;
  std::string long_;
  std::size_t long_start_ = 0;
};

// Writes a head into a window piece by piece. Most pieces are a few bytes and many are constants:
// with its two pointers in registers each is a comparison and a store or two. The window holds all
// of it when the writer ends.
class HeadWriter {
 public:
  explicit HeadWriter(ByteWindow& window) : window_(window) { begin(); }
  ~HeadWriter() { commit(); }
  HeadWriter(const HeadWriter&) = delete;
  HeadWriter& operator=(const HeadWriter&) = delete;

  [[gnu::always_inline]] void append(std::string_view bytes) {
    if (bytes.empty()) return;  // an empty view may have no address
    if (bytes.size() > static_cast<std::size_t>(end_ - at_)) return append_long(bytes);
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

 private:
  void begin() {
    start_ = at_ = window_.room() > 0 ? window_.end() : nullptr;
    end_ = at_ == nullptr ? nullptr : at_ + window_.room();
  }
  void commit() {
    if (at_ != start_) window_.wrote(static_cast<std::size_t>(at_ - start_));
  }
  void append_long(std::string_view bytes) {
    commit();
    window_.append(bytes);
    begin();
  }

  ByteWindow& window_;
  char* start_;
  char* at_;
  char* end_;
};

}  // namespace weir::proxy
