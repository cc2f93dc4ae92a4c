// Asks identity providers over HTTPS, on a thread of its own, so that no worker ever waits.
//
// Bounded in everything that a provider could stretch: time, bytes, how many are asked at once and
// how many wait for that. Certificates are verified; redirects are not followed, and environment
// variables choose no proxy.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weir::auth {

struct Fetch {
  std::string url;                   // https
  std::string form;                  // posted as application/x-www-form-urlencoded; empty: GET
  std::vector<std::string> headers;  // "Name: value"
  std::size_t bytes_max = 0;         // of the answer's body
};

struct Fetched {
  enum class End : std::uint8_t { answered, failed, timed_out, too_large };
  End end = End::failed;
  int status = 0;  // of an answer
  std::string body;
  std::int64_t max_age_seconds = -1;  // Cache-Control's; -1: not said
  std::string cause;                  // for the log, where it was not answered
};

class Fetcher {
 public:
  static constexpr std::int64_t time_limit_ms = 5000;  // reference §3.3
  static constexpr std::size_t under_way_max = 1024;   // more fail at once

  // `ca_file`: PEM certificates that are trusted besides the system's; empty: none. The thread
  // begins with the first fetch.
  explicit Fetcher(std::string ca_file);
  ~Fetcher();  // what is under way ends without its callback
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // Any thread. `done` is called on the fetcher's thread, and must not wait.
  void fetch(Fetch what, std::function<void(Fetched)> done);

 private:
  class Transfers;
  std::unique_ptr<Transfers> transfers_;
};

}  // namespace weir::auth
