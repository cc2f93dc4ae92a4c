#include "traffic/rate_limiter.hpp"

#include <algorithm>
#include <limits>

#include "base/ids.hpp"

namespace weir::traffic {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();

}  // namespace

RateLimiter::RateLimiter(Limit limit)
    : limit_(limit),
      interval_ns_(second_ns / std::max<std::int64_t>(limit.per_second, 1)),
      tolerance_ns_(interval_ns_ * (std::max<std::int64_t>(limit.burst, 1) - 1)),
      hash_key_{random_u64(), random_u64()} {}

RateLimiter::~RateLimiter() = default;

RateLimiter::Lane* RateLimiter::lane_of(const void* owner) {
  const std::lock_guard lock(joining_);
  const std::size_t count = lane_count_.load(std::memory_order_relaxed);
  const auto* const end = owners_.begin() + count;
  const auto* const found = std::find(owners_.cbegin(), end, owner);
  if (found != end) return lanes_[static_cast<std::size_t>(found - owners_.cbegin())].get();
  if (count == lanes_max) return nullptr;
  owners_[count] = owner;
  lanes_[count] = std::make_unique<Lane>(*this);
  lane_count_.store(count + 1, std::memory_order_release);
  return lanes_[count].get();
}

std::int64_t RateLimiter::Lane::take(std::string_view key, std::int64_t now_ns) {
  const std::uint64_t tag = keyed_hash(limiter_.hash_key_, key) | 1U;
  const std::size_t set = (tag >> 1U) % sets;
  const std::size_t lanes = limiter_.lane_count_.load(std::memory_order_acquire);
  std::int64_t full_at = now_ns;
  for (std::size_t i = 0; i < lanes; ++i)
    full_at = std::max(full_at, limiter_.lanes_[i]->read(set, tag));
  const std::int64_t ahead = full_at - now_ns;
  if (ahead > limiter_.tolerance_ns_) return ahead - limiter_.tolerance_ns_;
  write(set, tag, full_at + limiter_.interval_ns_, now_ns);
  return 0;
}

// The tag is looked at before and after: an entry that its owner gives to another key meanwhile
// is no entry.
std::int64_t RateLimiter::Lane::read(std::size_t set, std::uint64_t tag) const {
  const Set& entries = table_[set];
  for (std::size_t way = 0; way < ways; ++way) {
    if (entries.tags[way].load(std::memory_order_acquire) != tag) continue;
    const std::int64_t full_at = entries.full_at_ns[way].load(std::memory_order_acquire);
    if (entries.tags[way].load(std::memory_order_relaxed) == tag) return full_at;
  }
  return never;
}

void RateLimiter::Lane::write(std::size_t set, std::uint64_t tag, std::int64_t full_at_ns,
                              std::int64_t now_ns) {
  Set& entries = table_[set];
  std::size_t place = 0;
  std::int64_t place_full_at = std::numeric_limits<std::int64_t>::max();
  for (std::size_t way = 0; way < ways; ++way) {
    const std::uint64_t held = entries.tags[way].load(std::memory_order_relaxed);
    if (held == tag) return entries.full_at_ns[way].store(full_at_ns, std::memory_order_release);
    const std::int64_t held_full_at =
        held == 0 ? never : entries.full_at_ns[way].load(std::memory_order_relaxed);
    const std::int64_t rank = std::max(held_full_at, now_ns);  // all full buckets are alike
    if (rank < place_full_at) {
      place = way;
      place_full_at = rank;
    }
  }
  entries.tags[place].store(0, std::memory_order_relaxed);
  entries.full_at_ns[place].store(full_at_ns, std::memory_order_release);
  entries.tags[place].store(tag, std::memory_order_release);
}

}  // namespace weir::traffic
