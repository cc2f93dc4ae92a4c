// How much a worker holds of what it has received and not yet sent, and what follows from it.
//
// A connection's share shrinks as the whole grows, so that many slow peers cannot hold more
// together than the worker may: their other sides are paused sooner. At the limit new requests get
// 503.
#pragma once

#include <cstddef>

#include "proxy/limits.hpp"

namespace weir::proxy {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Bytes queued to one side at which the other is paused.
  [[nodiscard]] std::size_t queued_bytes_high(std::size_t used) const {
    if (used < bytes_max_ / 2) return proxy::queued_bytes_high;
    return used < bytes_max_ / 4 * 3 ? proxy::queued_bytes_high / 4 : proxy::queued_bytes_high / 16;
  }
  // Beginnings of heads leave their blocks for strings of their own size.
  [[nodiscard]] bool is_tight(std::size_t used) const { return used >= bytes_max_ / 2; }
  [[nodiscard]] bool is_spent(std::size_t used) const { return used >= bytes_max_; }

 private:
  std::size_t bytes_max_;
};

}  // namespace weir::proxy
