#include "auth/key_sets.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace weir::auth {
namespace {

constexpr std::int64_t fresh_seconds_min = 60;
constexpr std::int64_t fresh_seconds_default = 3600;
constexpr std::int64_t fresh_seconds_max = 24 * 3600;
constexpr std::size_t entries_max = 1024;

// Reference §3.3, §5.9.
KeyAnswer answer_from(const Fetched& fetched) {
  switch (fetched.end) {
    case Fetched::End::timed_out:
      return {nullptr, 500, "JWKSRequestTimeout"};
    case Fetched::End::too_large:
      return {nullptr, 500, "JWKSResponseSizeExceeded"};
    case Fetched::End::failed:
      return {nullptr, 500, "JWKSRequestFailed"};
    case Fetched::End::answered:
      break;
  }
  if (fetched.status < 200 || fetched.status > 299) return {nullptr, 562, "JWKSRequestFailed"};
  auto keys = KeySet::parse(fetched.body);
  if (keys) return {std::make_shared<const KeySet>(std::move(*keys)), 0, {}};
  if (keys.error().code == "JWKSResponseSizeExceeded")
    return {nullptr, 500, "JWKSResponseSizeExceeded"};
  return {nullptr, 562, "JWKSResponseInvalid"};
}

std::int64_t fresh_ms(const Fetched& fetched) {
  const std::int64_t said =
      fetched.max_age_seconds < 0 ? fresh_seconds_default : fetched.max_age_seconds;
  return std::clamp(said, fresh_seconds_min, fresh_seconds_max) * 1000;
}

}  // namespace

KeySets::KeySets(std::string ca_file) : KeySets(std::move(ca_file), monotonic_ms) {}

KeySets::KeySets(std::string ca_file, Clock clock)
    : clock_(std::move(clock)), fetcher_(std::move(ca_file)) {}

std::optional<KeyAnswer> KeySets::answer_of(const Entry& entry, std::string_view key_id) const {
  if (!entry.has_answer) return std::nullopt;
  const std::int64_t now = clock_();
  if (now < entry.ask_again_ms) return entry.answer;
  if (now >= entry.fresh_until_ms || !entry.answer.keys) return std::nullopt;
  if (!key_id.empty() && !entry.answer.keys->has(key_id)) return std::nullopt;
  return entry.answer;
}

std::optional<KeyAnswer> KeySets::known(const std::string& url, std::string_view key_id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(url);
  return found == entries_.end() ? std::nullopt : answer_of(found->second, key_id);
}

void KeySets::get(const std::string& url, std::string_view key_id,
                  std::function<void(KeyAnswer)> done) {
  std::optional<KeyAnswer> answer;
  bool fetches = false;
  {
    const std::lock_guard lock(mutex_);
    if (entries_.size() >= entries_max) drop_old();
    Entry& entry = entries_[url];
    answer = answer_of(entry, key_id);
    if (!answer && entry.waiting.size() >= Fetcher::under_way_max)
      answer = KeyAnswer{nullptr, 500, "JWTValidationInternalError"};
    if (!answer) {
      entry.waiting.push_back(std::move(done));
      fetches = !std::exchange(entry.is_being_fetched, true);
    }
  }
  if (answer) return done(std::move(*answer));
  if (!fetches) return;
  fetcher_.fetch({url, {}, {"Accept: application/json"}, KeySet::bytes_max},
                 [this, url](const Fetched& fetched) { take(url, fetched); });
}

void KeySets::take(const std::string& url, const Fetched& fetched) {
  KeyAnswer answer = answer_from(fetched);
  if (!answer.keys)
    log::warn("the keys at {} cannot be had: {} (status {}) {}", url, answer.reason, fetched.status,
              fetched.cause);
  std::vector<std::function<void(KeyAnswer)>> waiting;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[url];
    entry.is_being_fetched = false;
    if (answer.keys) entry.fresh_until_ms = clock_() + fresh_ms(fetched);
    if (answer.keys || !entry.answer.keys) entry.answer = std::move(answer);
    entry.ask_again_ms = clock_() + (entry.answer.keys ? refetch_pause_ms : fault_pause_ms);
    entry.has_answer = true;
    answer = entry.answer;
    waiting.swap(entry.waiting);
  }
  for (auto& done : waiting) done(answer);
}

// Endpoints that no rule names any more are not told of; what is asked for again is fetched again.
void KeySets::drop_old() {
  std::erase_if(entries_, [](const auto& each) { return !each.second.is_being_fetched; });
}

}  // namespace weir::auth
