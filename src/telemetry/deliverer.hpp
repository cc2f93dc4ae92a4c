// Brings sealed log files into their buckets: one thread that compresses, away from the one that
// takes lines out of the rings, which must not wait.
//
// A bucket is a folder of this machine, an object a file in it. An object is written under a
// temporary name and renamed; then its source is removed. What cannot be delivered stays and is
// tried again with the next file, and at the next start.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.hpp"

namespace weir::telemetry {

class Deliverer {
 public:
  static constexpr std::size_t undelivered_max = 10'000;  // files; what is beyond is lost

  // `parts`, `buckets`: the folders below which object_names.hpp's names lie. Takes up what an
  // earlier daemon has left in `parts`, so nobody writes there yet.
  Deliverer(std::string parts, std::string buckets);
  ~Deliverer();  // delivers what has been given to it
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  // Any thread, all three.
  void deliver(std::string sealed);
  // A small object, at once.
  [[nodiscard]] Status put(const std::string& object, std::string_view bytes);
  // Returns when each of the files given so far is delivered or has failed.
  void flush();

 private:
  void take_left_overs();
  void run();
  [[nodiscard]] Status deliver_one(const std::string& sealed);

  const std::string parts_;
  const std::string buckets_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  bool is_busy_ = false;
  std::deque<std::string> waiting_;
  std::set<std::string> failed_;  // tried again when the next one is given
  std::thread thread_;
};

}  // namespace weir::telemetry
