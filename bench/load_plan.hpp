// What one run of the load generator does, as its command line says it.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "answer_reader.hpp"

namespace weir::bench {

constexpr std::int64_t second_ns = 1'000'000'000;

enum class Mode {
  closed,  // each connection sends its next request when the answer to the last one is there
  close,   // the same with a connection per request
  // Requests are due at a constant rate, whatever the answers do; a latency counts from the moment
  // the request was due, so a stall is seen by all the requests that it held up (no coordinated
  // omission).
  open,
  // Opens the connections, has one request answered on each, prints "idle" and holds them until
  // standard input ends; then each must answer once more.
  idle,
};

struct Plan {
  Mode mode = Mode::closed;
  std::uint16_t port = 0;  // on 127.0.0.1
  std::size_t connections = 1;
  std::string request;  // its head
  std::uint64_t upload_bytes = 0;
  Expected expected;
  std::int64_t warmup_ns = 0;
  std::int64_t duration_ns = 0;
  double rate = 0;                 // open: requests a second
  std::vector<clockid_t> watched;  // the CPU clocks of the proxy's processes
};

// Ends the program where the command line is wrong.
[[nodiscard]] Plan plan_of(int argc, char** argv);

}  // namespace weir::bench
