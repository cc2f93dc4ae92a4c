// Calls that carry a client token: the second one with the same token gets the first one's answer.
//
// A client that has not heard the answer sends its call again with the same token, and must not get
// a second instance for it. While the first is under way, the second waits. Remembered are calls
// that went well, for a day and while the daemon runs, the latest ten thousand.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>

#include "aws/value.hpp"
#include "base/result.hpp"

namespace weir::aws {

class Idempotency {
 public:
  // `key`: service, operation and token. `digest`: of the whole input; another one under the same
  // key is "IdempotentParameterMismatch". Any thread.
  [[nodiscard]] Result<Value> run(const std::string& key, const std::string& digest,
                                  std::int64_t now_ms, const std::function<Result<Value>()>& call);

 private:
  struct Entry {
    std::string digest;
    bool is_done = false;
    Value output;
    std::int64_t at_ms = 0;
    std::list<std::string>::iterator age;
  };
  class Pending;
  void forget_old(std::int64_t now_ms);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Entry> entries_;
  std::list<std::string> oldest_first_;  // keys of those that are done
};

}  // namespace weir::aws
