// Streams that are being closed while their peers take their time: those that are still here after
// close_timeout_ms without having taken anything are given up. One timer for all of them, since
// most connections never wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "net/loop.hpp"
#include "net/socket.hpp"

namespace weir::net {

// A peer that takes neither what is flushed to it nor sends its FIN is given up after this.
inline constexpr std::int64_t close_timeout_ms = 5'000;
// One that takes it slowly, after so many times of it.
inline constexpr std::uint32_t close_timeouts_max = 120;

// T has finish(), which calls remove(), fd(), is_flushing() and a public member
// `std::uint32_t closing_place`.
template <typename T>
class ClosingList {
 public:
  static constexpr std::uint32_t no_place = ~std::uint32_t{0};

  explicit ClosingList(Loop& loop)
      : loop_(loop), sweep_([](void* self) { static_cast<ClosingList*>(self)->sweep(); }, this) {}

  void add(T* stream) {
    stream->closing_place = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({stream, loop_.now_ms() + close_timeout_ms, 0, 0});
    if (!sweep_.is_scheduled()) loop_.schedule(sweep_, close_timeout_ms);
  }

  void remove(T* stream) {
    const std::uint32_t place = stream->closing_place;
    if (place == no_place) return;
    entries_[place] = entries_.back();
    entries_[place].stream->closing_place = place;
    entries_.pop_back();
    stream->closing_place = no_place;
  }

 private:
  struct Entry {
    T* stream;
    std::int64_t deadline_ms;
    std::uint64_t acknowledged;  // at the last deadline
    std::uint32_t timeouts;
  };
  static constexpr std::int64_t step_ms = 500;

  // From the back, so that what takes the place of a stream that has gone was looked at before.
  void sweep() {
    for (std::size_t i = entries_.size(); i-- > 0;) {
      if (entries_[i].deadline_ms <= loop_.now_ms() && !may_go_on(entries_[i]))
        entries_[i].stream->finish();
    }
    if (!entries_.empty()) loop_.schedule(sweep_, step_ms);
  }

  // The first deadline has nothing to compare with: what was sent by then counts as taken.
  bool may_go_on(Entry& entry) {
    if (!entry.stream->is_flushing() || ++entry.timeouts > close_timeouts_max) return false;
    const std::uint64_t acknowledged = bytes_acknowledged(entry.stream->fd());
    if (acknowledged == std::exchange(entry.acknowledged, acknowledged)) return false;
    entry.deadline_ms = loop_.now_ms() + close_timeout_ms;
    return true;
  }

  Loop& loop_;
  Timer sweep_;
  std::vector<Entry> entries_;
};

}  // namespace weir::net
