// Buffers of one event loop: fixed-size blocks from a pool, handed around by value.
//
// A Buffer is a slice of one block and the block's only owner; destroying it gives the block back to
// the pool (and so to the kernel's ring of provided buffers, with io_uring). What a stream received
// can be passed on to another stream's send queue without a copy. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace weir::net {

class BufferPool;

class Buffer {
 public:
  Buffer() = default;
  Buffer(BufferPool* pool, std::uint32_t block, char* data, std::uint32_t size,
         std::uint32_t capacity)
      : pool_(pool), data_(data), size_(size), capacity_(capacity), block_(block) {}
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      reset();
      swap(other);
    }
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { reset(); }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] char* data() { return data_; }
  [[nodiscard]] const char* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t room() const { return capacity_ - size_; }
  [[nodiscard]] std::string_view view() const { return {data_, size_}; }

  // Drops the first `bytes` (at most size()).
  void consume(std::size_t bytes) {
    data_ += bytes;
    size_ -= static_cast<std::uint32_t>(bytes);
    capacity_ -= static_cast<std::uint32_t>(bytes);
  }
  // Keeps the first `bytes` (at most size()).
  void truncate(std::size_t bytes) { size_ = static_cast<std::uint32_t>(bytes); }
  // Appends; the caller has checked room().
  void append(std::string_view bytes);

  void reset();

 private:
  void swap(Buffer& other) {
    std::swap(pool_, other.pool_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(block_, other.block_);
  }

  BufferPool* pool_ = nullptr;
  char* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
  std::uint32_t block_ = 0;
};

}  // namespace weir::net
