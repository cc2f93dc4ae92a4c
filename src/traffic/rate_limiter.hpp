// Requests per second of each key (a source address, a header's value), over all workers.
//
// A key's bucket is one number, the time from which it is full again (GCRA: the token bucket
// without a clockwork): a request is admitted where that lies less than a burst ahead, and moves it
// by one interval. Each worker has a lane, a table that it alone writes, with relaxed atomics that
// the others read: a bucket's time is the latest of all lanes. So no worker waits for another, and
// the limit holds over all of them but for requests that are decided in the same instant (some ten
// nanoseconds, a cache line's way between cores): each other worker can then admit one too many.
//
// Bounded: a lane holds 65 536 keys. An entry whose time has passed is a full bucket and the same
// as none, so its place is free; where all eight places of a set are in use, the key that is next
// to be full is forgotten. Keys are hashed under a secret key: nobody can aim at another's set.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include "traffic/keyed_hash.hpp"

namespace weir::traffic {

class RateLimiter {
 public:
  static constexpr std::size_t lanes_max = 1024;
  static constexpr std::size_t ways = 8;
  static constexpr std::size_t sets = 8192;

  struct Limit {
    std::uint32_t per_second = 1;  // 1 to 1 000 000
    std::uint32_t burst = 1;       // admitted at once from a full bucket; at least 1
    bool operator==(const Limit&) const = default;
  };

  class Lane;

  explicit RateLimiter(Limit limit);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  [[nodiscard]] Limit limit() const { return limit_; }
  // The lane of this owner (a worker), made at its first call; nullptr where there are too many.
  // Any thread; not for a request's way.
  [[nodiscard]] Lane* lane_of(const void* owner);

 private:
  const Limit limit_;
  const std::int64_t interval_ns_;
  const std::int64_t tolerance_ns_;
  const HashKey hash_key_;
  std::mutex joining_;
  std::array<const void*, lanes_max> owners_{};
  std::atomic<std::size_t> lane_count_ = 0;
  std::array<std::unique_ptr<Lane>, lanes_max> lanes_;  // those below lane_count_ never change
};

// For its owner's thread only.
class RateLimiter::Lane {
 public:
  explicit Lane(RateLimiter& limiter) : limiter_(limiter), table_(new Set[sets]) {}

  // 0: the request is admitted. Otherwise nanoseconds until one of this key would be. `now_ns` is
  // of a clock that all lanes share. No allocation; costs two cache lines of each lane.
  [[nodiscard]] std::int64_t take(std::string_view key, std::int64_t now_ns);

 private:
  // Tags are hashes with the lowest bit set, so that 0 is no tag.
  struct alignas(64) Set {
    std::array<std::atomic<std::uint64_t>, ways> tags{};
    std::array<std::atomic<std::int64_t>, ways> full_at_ns{};
  };

  [[nodiscard]] std::int64_t read(std::size_t set, std::uint64_t tag) const;
  void write(std::size_t set, std::uint64_t tag, std::int64_t full_at_ns, std::int64_t now_ns);

  RateLimiter& limiter_;
  std::unique_ptr<Set[]> table_;
};

}  // namespace weir::traffic
