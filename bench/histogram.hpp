// Latencies, counted into buckets whose width grows with the value: 64 a power of two, so that a
// percentile is right to 1.6 % from a nanosecond to hours, in fixed memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace weir::bench {

class Histogram {
 public:
  void add(std::int64_t value_ns) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(value_ns, 0));
    ++counts_[index_of(value)];
    ++total_;
    largest_ = std::max(largest_, value);
  }

  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] std::uint64_t largest() const { return largest_; }

  // The smallest value that at least `share` (0–1) of all do not exceed, rounded up to its bucket.
  [[nodiscard]] std::uint64_t percentile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > 0 && seen >= wanted) return std::min(upper_bound(i), largest_);
    }
    return largest_;
  }

 private:
  static constexpr unsigned step_bits = 6;
  static constexpr std::uint64_t steps = 1U << step_bits;

  static std::size_t index_of(std::uint64_t value) {
    if (value < steps) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - step_bits - 1;
    return (shift + 1) * steps + (value >> shift) - steps;
  }
  static std::uint64_t upper_bound(std::size_t index) {
    if (index < steps) return index;
    const std::uint64_t shift = index / steps - 1;
    return ((index % steps + steps + 1) << shift) - 1;
  }

  std::array<std::uint64_t, 58 * steps> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t largest_ = 0;
};

}  // namespace weir::bench
