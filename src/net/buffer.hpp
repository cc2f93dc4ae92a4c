// Buffers of one event loop: fixed-size blocks from a pool, handed around by value.
//
// A Buffer is a slice of one block and the block's only owner; destroying it gives the block back
// to the pool (and so to the kernel's ring of provided buffers, with io_uring). What a stream
// received can be passed on to another stream's send queue without a copy. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::net {

class BufferPool;
class BufferQueue;

class Buffer {
 public:
  Buffer() = default;
  Buffer(BufferPool* pool, std::uint32_t block, char* data, std::uint32_t size,
         std::uint32_t capacity)
      : pool_(pool), data_(data), size_(size), capacity_(capacity), block_(block) {}
  Buffer(Buffer&& other) noexcept { take(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
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
  // After writing into data() directly: how much of the block is data now.
  void set_size(std::size_t bytes) { size_ = static_cast<std::uint32_t>(bytes); }
  // Appends; the caller has checked room().
  void append(std::string_view bytes) {
    if (bytes.empty()) return;  // memcpy must not be given the null pointer of an empty view
    std::memcpy(data_ + size_, bytes.data(), bytes.size());
    size_ += static_cast<std::uint32_t>(bytes.size());
  }

  void reset() {
    if (pool_ != nullptr) release();
  }

 private:
  friend class BufferQueue;
  inline void release();
  // Of an empty one.
  void take(Buffer& other) {
    pool_ = other.pool_;
    data_ = other.data_;
    size_ = other.size_;
    capacity_ = other.capacity_;
    block_ = other.block_;
    other.forget();
  }
  void forget() {
    pool_ = nullptr;
    data_ = nullptr;
    size_ = capacity_ = 0;
  }

  BufferPool* pool_ = nullptr;
  char* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
  std::uint32_t block_ = 0;
};

// Blocks in slabs, free ones on a stack, so that the block used last, still in the cache, is the
// next one used. Grows by a slab when the stack is empty and never shrinks. Each block has a place
// for the Buffer that holds it while it waits in a BufferQueue, so that queues need no memory.
class BufferPool {
 public:
  static constexpr std::uint32_t slab_blocks = 64;

  explicit BufferPool(std::uint32_t block_bytes) : block_bytes_(block_bytes) {}
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // An empty buffer of block_bytes().
  [[nodiscard]] Buffer acquire() {
    const std::uint32_t block = take();
    return {this, block, address(block), 0, block_bytes_};
  }
  // For the provided-buffer ring: a free block to lend to the kernel, and the Buffer of a lent
  // block into which it wrote `size` bytes.
  [[nodiscard]] std::uint32_t take() {
    if (free_.empty()) grow();
    const std::uint32_t block = free_.back();
    free_.pop_back();
    return block;
  }
  [[nodiscard]] Buffer received(std::uint32_t block, std::uint32_t size) {
    return {this, block, address(block), size, block_bytes_};
  }
  void give_back(std::uint32_t block) { free_.push_back(block); }

  [[nodiscard]] char* address(std::uint32_t block) const {
    return slabs_[block / slab_blocks] + std::size_t{block % slab_blocks} * block_bytes_;
  }
  [[nodiscard]] std::uint32_t block_bytes() const { return block_bytes_; }
  [[nodiscard]] std::size_t blocks_total() const { return slabs_.size() * slab_blocks; }
  [[nodiscard]] std::size_t blocks_free() const { return free_.size(); }

 private:
  friend class BufferQueue;
  static constexpr std::uint32_t no_block = ~std::uint32_t{0};
  struct Place {
    Buffer buffer;
    std::uint32_t next = no_block;
  };

  void grow();

  std::uint32_t block_bytes_;
  std::vector<char*> slabs_;
  std::vector<std::uint32_t> free_;
  std::vector<Place> places_;  // by block
};

// Buffers of one pool in order, linked through the pool: no allocation, few bytes when empty.
class BufferQueue {
 public:
  explicit BufferQueue(BufferPool& pool) : pool_(pool) {}
  ~BufferQueue() { clear(); }
  BufferQueue(const BufferQueue&) = delete;
  BufferQueue& operator=(const BufferQueue&) = delete;

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint32_t size() const { return count_; }
  // Of a queue that is not empty; valid until the pool's next block is taken.
  [[nodiscard]] Buffer& front() { return pool_.places_[first_].buffer; }
  [[nodiscard]] Buffer& back() { return pool_.places_[last_].buffer; }
  [[nodiscard]] const Buffer& back() const { return pool_.places_[last_].buffer; }

  void push(Buffer data) {
    const std::uint32_t block = data.block_;
    BufferPool::Place& place = pool_.places_[block];
    place.buffer = std::move(data);
    place.next = BufferPool::no_block;
    if (count_++ == 0) {
      first_ = block;
    } else {
      pool_.places_[last_].next = block;
    }
    last_ = block;
  }

  Buffer pop() {
    BufferPool::Place& place = pool_.places_[first_];
    first_ = place.next;
    --count_;
    return std::move(place.buffer);
  }

  void clear() {
    while (count_ > 0) pop().reset();
  }

  // From the front, while `take` returns true.
  template <typename Take>
  void each(Take take) {
    std::uint32_t block = first_;
    for (std::uint32_t i = 0; i < count_ && take(pool_.places_[block].buffer); ++i)
      block = pool_.places_[block].next;
  }

  [[nodiscard]] BufferPool& pool() { return pool_; }

 private:
  BufferPool& pool_;
  std::uint32_t first_ = BufferPool::no_block;
  std::uint32_t last_ = BufferPool::no_block;
  std::uint32_t count_ = 0;
};

void Buffer::release() {
  pool_->give_back(block_);
  forget();
}

}  // namespace weir::net
