// The key sets of identity providers, fetched once for all workers and kept.
//
// A set is fresh as long as its provider says (a minute to a day; an hour where it says nothing).
// A token of a key that is not in a fresh set asks for the set again, but only so often, whatever
// tokens come. Where a provider cannot be asked, its last set serves on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/fetcher.hpp"
#include "auth/key_set.hpp"

namespace weir::auth {

// `keys`, or nullptr and why: the status for the client and the reason for the log, a literal.
struct KeyAnswer {
  std::shared_ptr<const KeySet> keys;
  int status = 0;
  std::string_view reason;
};

class KeySets {
 public:
  using Clock = std::function<std::int64_t()>;  // monotonic milliseconds, any thread
  static constexpr std::int64_t refetch_pause_ms = 10'000;
  static constexpr std::int64_t fault_pause_ms = 1000;  // where no keys have been had so far

  // See Fetcher for `ca_file`.
  explicit KeySets(std::string ca_file);
  KeySets(std::string ca_file, Clock clock);

  // Any thread. Calls `done` at once, on this thread, where the answer is known; else later, on the
  // fetcher's. `key_id`: of the token to verify; may be empty.
  void get(const std::string& url, std::string_view key_id, std::function<void(KeyAnswer)> done);
  // The answer where it is known.
  [[nodiscard]] std::optional<KeyAnswer> known(const std::string& url, std::string_view key_id);

 private:
  struct Entry {
    KeyAnswer answer;
    bool has_answer = false;
    bool is_being_fetched = false;
    std::int64_t fresh_until_ms = 0;
    std::int64_t ask_again_ms = 0;  // not before
    std::vector<std::function<void(KeyAnswer)>> waiting;
  };

  [[nodiscard]] std::optional<KeyAnswer> answer_of(const Entry& entry,
                                                   std::string_view key_id) const;
  void take(const std::string& url, const Fetched& fetched);
  void drop_old();

  Clock clock_;
  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;  // by URL
  Fetcher fetcher_;  // last: nothing is called back once the rest goes
};

}  // namespace weir::auth
