#include "aws/server/idempotency.hpp"

namespace weir::aws {
namespace {

constexpr std::size_t entries_max = 10'000;
constexpr std::int64_t kept_ms = 24 * 3'600 * 1'000;

}  // namespace

// A call under way; however it ends, those that wait for it go on.
class Idempotency::Pending {
 public:
  Pending(Idempotency& owner, const std::string& key) : owner_(owner), key_(key) {}
  ~Pending() {
    const std::scoped_lock lock(owner_.mutex_);
    const auto found = owner_.entries_.find(key_);
    if (found != owner_.entries_.end() && !found->second.is_done) owner_.entries_.erase(found);
    owner_.changed_.notify_all();
  }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  void done(const Value& output, std::int64_t now_ms) {
    const std::scoped_lock lock(owner_.mutex_);
    auto& entry = owner_.entries_.at(key_);
    entry.is_done = true;
    entry.output = output;
    entry.at_ms = now_ms;
    entry.age = owner_.oldest_first_.insert(owner_.oldest_first_.end(), key_);
  }

 private:
  Idempotency& owner_;
  const std::string& key_;
};

void Idempotency::forget_old(std::int64_t now_ms) {
  while (!oldest_first_.empty()) {
    const auto found = entries_.find(oldest_first_.front());
    if (oldest_first_.size() < entries_max && found->second.at_ms + kept_ms > now_ms) return;
    entries_.erase(found);
    oldest_first_.pop_front();
  }
}

Result<Value> Idempotency::run(const std::string& key, const std::string& digest,
                               std::int64_t now_ms, const std::function<Result<Value>()>& call) {
  {
    std::unique_lock lock(mutex_);
    forget_old(now_ms);
    for (;;) {
      const auto [at, is_new] = entries_.try_emplace(key);
      auto& entry = at->second;
      if (is_new) {
        entry.digest = digest;
        break;
      }
      if (entry.digest != digest) {
        return fail("IdempotentParameterMismatch",
                    "Arguments on this idempotent request are inconsistent with arguments used in "
                    "previous request(s).");
      }
      if (entry.is_done) return entry.output;
      changed_.wait(lock);
    }
  }
  Pending pending(*this, key);
  auto output = call();
  if (output) pending.done(*output, now_ms);
  return output;
}

}  // namespace weir::aws
