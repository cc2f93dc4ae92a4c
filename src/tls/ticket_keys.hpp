// The keys that session tickets are sealed with: shared by all workers and all snapshots.
//
// They are made here and never written anywhere, so a ticket can be opened for some hours by this
// process alone: what was recorded of a session cannot be read later with what is found on disk. A
// daemon that starts again begins with new ones; clients then shake hands in full.
// Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

namespace weir::tls {

// A key seals for so long,
inline constexpr std::int64_t ticket_key_age_ms_max = 3'600'000;
// and the latest so many open: sessions live for an hour, so none ends early by a rotation.
inline constexpr std::size_t ticket_keys_kept = 3;
inline constexpr std::int64_t session_seconds = 3'600;

struct TicketKey {
  std::array<unsigned char, 16> name;  // sent in the clear
  std::array<unsigned char, 32> cipher;
  std::array<unsigned char, 32> mac;
};

class TicketKeys {
 public:
  using Clock = std::function<std::int64_t()>;
  TicketKeys();
  // `now_ms`: monotonic.
  explicit TicketKeys(Clock now_ms) : now_ms_(std::move(now_ms)) {}

  [[nodiscard]] TicketKey newest();
  struct Found {
    TicketKey key;
    bool is_newest = false;
  };
  [[nodiscard]] std::optional<Found> find(const unsigned char* name);

 private:
  void rotate();

  struct Entry {
    TicketKey key;
    std::int64_t made_ms;
  };
  Clock now_ms_;
  std::mutex mutex_;
  std::deque<Entry> keys_;  // the newest first
};

}  // namespace weir::tls
