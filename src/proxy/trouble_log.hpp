// Log lines about targets that misbehave, at a rate that a broken target cannot raise: a few a
// second and worker, then one line with the number of those left out.
#pragma once

#include <cstdint>
#include <string_view>

#include "routing/snapshot.hpp"

namespace weir::proxy {

struct Trouble {
  std::string_view load_balancer;
  std::string_view target_group;
  const routing::Target& target;
  std::string_view trace_id;
  int status = 0;  // what the client gets; 0: an answer that is cut off
  std::string_view why;
  int error = 0;  // errno, or 0
};

class TroubleLog {
 public:
  static constexpr int lines_a_second_max = 10;

  void say(const Trouble& trouble, std::int64_t now_ms);

 private:
  std::int64_t second_ends_ms_ = 0;
  int lines_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace weir::proxy
