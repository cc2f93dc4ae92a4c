// Streams that are being closed while their peers take their time: those that are still here after
// close_timeout_ms are given up. One timer for all of them, since most connections never wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/loop.hpp"

namespace weir::net {

// A peer that takes neither what is flushed to it nor sends its FIN is given up after this.
inline constexpr std::int64_t close_timeout_ms = 5'000;

// T has finish(), which calls remove(), and a public member `std::uint32_t closing_place`.
template <typename T>
class ClosingList {
 public:
  static constexpr std::uint32_t no_place = ~std::uint32_t{0};

  explicit ClosingList(Loop& loop)
      : loop_(loop), sweep_([](void* self) { static_cast<ClosingList*>(self)->sweep(); }, this) {}

  void add(T* stream) {
    stream->closing_place = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({stream, loop_.now_ms() + close_timeout_ms});
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
  };
  static constexpr std::int64_t step_ms = 500;

  // From the back, so that what takes the place of a stream that has gone was looked at before.
  void sweep() {
    for (std::size_t i = entries_.size(); i-- > 0;) {
      if (entries_[i].deadline_ms <= loop_.now_ms()) entries_[i].stream->finish();
    }
    if (!entries_.empty()) loop_.schedule(sweep_, step_ms);
  }

  Loop& loop_;
  Timer sweep_;
  std::vector<Entry> entries_;
};

}  // namespace weir::net
