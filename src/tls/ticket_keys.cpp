#include "tls/ticket_keys.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "base/clock.hpp"

namespace weir::tls {
namespace {

template <std::size_t Size>
void fill(std::array<unsigned char, Size>& out) {
  WEIR_ASSERT(RAND_priv_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

}  // namespace

TicketKeys::TicketKeys() : TicketKeys([] { return monotonic_ms(); }) {}

// Under the lock.
void TicketKeys::rotate() {
  const std::int64_t now = now_ms_();
  while (!keys_.empty() && now - keys_.back().made_ms >=
                               ticket_key_age_ms_max * static_cast<std::int64_t>(ticket_keys_kept))
    keys_.pop_back();
  if (!keys_.empty() && now - keys_.front().made_ms < ticket_key_age_ms_max) return;
  Entry entry{{}, now};
  fill(entry.key.name);
  fill(entry.key.cipher);
  fill(entry.key.mac);
  keys_.push_front(entry);
  if (keys_.size() > ticket_keys_kept) keys_.pop_back();
}

TicketKey TicketKeys::newest() {
  const std::lock_guard lock(mutex_);
  rotate();
  return keys_.front().key;
}

std::optional<TicketKeys::Found> TicketKeys::find(const unsigned char* name) {
  const std::lock_guard lock(mutex_);
  rotate();
  const auto found = std::ranges::find_if(keys_, [&](const Entry& entry) {
    return std::memcmp(entry.key.name.data(), name, entry.key.name.size()) == 0;
  });
  if (found == keys_.end()) return std::nullopt;
  return Found{found->key, found == keys_.begin()};
}

}  // namespace weir::tls
