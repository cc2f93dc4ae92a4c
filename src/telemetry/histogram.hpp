// Durations, counted in log-linear buckets: eight to a power of two, so that a bucket is at most an
// eighth of its value wide, from one microsecond to about four and a half minutes in 208 counters.
//
// Histogram is the writer's side (one thread), HistogramValues what a reader copies out, sums over
// workers and subtracts to see what an interval brought.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "telemetry/counter.hpp"

namespace weir::telemetry {

struct Buckets {
  static constexpr unsigned sub_bits = 3;
  static constexpr std::uint64_t subs = 1U << sub_bits;
  static constexpr unsigned bits_max = 28;  // 2^28 µs: 268 s; what is longer is counted there
  static constexpr std::size_t count = (bits_max - sub_bits + 1) * subs;

  [[nodiscard]] static constexpr std::size_t of(std::uint64_t us) {
    us = std::min<std::uint64_t>(us, (std::uint64_t{1} << bits_max) - 1);
    if (us < subs) return us;
    const unsigned shift = static_cast<unsigned>(std::bit_width(us)) - sub_bits - 1;
    return (shift + 1) * subs + ((us >> shift) - subs);
  }
  // The first value of a bucket; that of `count` ends the last one.
  [[nodiscard]] static constexpr std::uint64_t start(std::size_t bucket) {
    if (bucket < subs) return bucket;
    const std::size_t shift = bucket / subs - 1;
    return (bucket % subs + subs) << shift;
  }
};

struct HistogramValues {
  std::array<std::uint64_t, Buckets::count> counts{};
  std::uint64_t samples = 0;
  std::uint64_t sum_us = 0;

  HistogramValues& operator+=(const HistogramValues& other);
  HistogramValues& operator-=(const HistogramValues& other);
  // Microseconds, interpolated within the bucket; 0 without samples. `share` in 0..1.
  [[nodiscard]] double quantile_us(double share) const;
  [[nodiscard]] double mean_us() const;
  // Samples of at most `us`; exact where a bucket starts at us + 1, else the buckets wholly below.
  [[nodiscard]] std::uint64_t at_most(std::uint64_t us) const;
};

class Histogram {
 public:
  void record(std::int64_t us) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
    counts_[Buckets::of(value)].add();
    sum_us_.add(value);
  }
  void add_to(HistogramValues& out) const;

 private:
  std::array<Counter, Buckets::count> counts_{};
  Counter sum_us_;
};

}  // namespace weir::telemetry
