#include "net/buffer.hpp"

#include <sys/mman.h>

#include "base/assert.hpp"

namespace weir::net {

void BufferPool::grow() {
  const std::size_t bytes = std::size_t{slab_blocks} * block_bytes_;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  WEIR_ASSERT(memory != MAP_FAILED);
  const auto first = static_cast<std::uint32_t>(blocks_total());
  slabs_.push_back(static_cast<char*>(memory));
  free_.reserve(blocks_total());  // so that giving back never allocates
  places_.resize(blocks_total());
  for (std::uint32_t i = slab_blocks; i > 0; --i) free_.push_back(first + i - 1);
}

BufferPool::~BufferPool() {
  for (char* slab : slabs_) munmap(slab, std::size_t{slab_blocks} * block_bytes_);
}

}  // namespace weir::net
