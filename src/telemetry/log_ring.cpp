#include "telemetry/log_ring.hpp"

#include <algorithm>
#include <cstring>

namespace weir::telemetry {

bool LogRing::push(std::string_view record) {
  const std::uint64_t start = written_.load(std::memory_order_relaxed);
  const auto size = static_cast<std::uint32_t>(record.size());
  const std::uint64_t used = start - taken_.load(std::memory_order_acquire);
  if (used + sizeof size + record.size() > capacity_) return false;
  if (!bytes_) bytes_ = std::make_unique<char[]>(capacity_);
  write(start, {reinterpret_cast<const char*>(&size), sizeof size});
  write(start + sizeof size, record);
  written_.store(start + sizeof size + record.size(), std::memory_order_release);
  return true;
}

bool LogRing::pop(std::string& record) {
  const std::uint64_t start = taken_.load(std::memory_order_relaxed);
  if (written_.load(std::memory_order_acquire) == start) return false;
  std::uint32_t size = 0;
  read(start, reinterpret_cast<char*>(&size), sizeof size);
  record.resize(size);
  read(start + sizeof size, record.data(), size);
  taken_.store(start + sizeof size + size, std::memory_order_release);
  return true;
}

void LogRing::write(std::uint64_t at, std::string_view bytes) {
  const std::size_t offset = at & (capacity_ - 1);
  const std::size_t first = std::min(bytes.size(), capacity_ - offset);
  std::memcpy(bytes_.get() + offset, bytes.data(), first);
  std::memcpy(bytes_.get(), bytes.data() + first, bytes.size() - first);
}

void LogRing::read(std::uint64_t at, char* out, std::size_t bytes) const {
  const std::size_t offset = at & (capacity_ - 1);
  const std::size_t first = std::min(bytes, capacity_ - offset);
  std::memcpy(out, bytes_.get() + offset, first);
  std::memcpy(out + first, bytes_.get(), bytes - first);
}

}  // namespace weir::telemetry
