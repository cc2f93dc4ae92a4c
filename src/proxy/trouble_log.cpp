#include "proxy/trouble_log.hpp"

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <utility>

#include "base/log.hpp"

namespace weir::proxy {

void TroubleLog::say(const Trouble& trouble, std::int64_t now_ms) {
  if (now_ms >= second_ends_ms_) {
    second_ends_ms_ = now_ms + 1000;
    lines_ = 0;
    if (const std::uint64_t left_out = std::exchange(left_out_, 0); left_out > 0)
      log::warn("{} more requests met trouble with their targets and have no line", left_out);
  }
  if (++lines_ > lines_a_second_max) {
    ++left_out_;
    return;
  }
  const std::string outcome =
      trouble.status == 0 ? "answer cut off" : fmt::format("{}", trouble.status);
  log::warn("{}: {} for {}: target {}:{} of {}: {}{}{}", trouble.load_balancer, outcome,
            trouble.trace_id, trouble.target.address, trouble.target.port, trouble.target_group,
            trouble.why, trouble.error == 0 ? "" : ": ",
            trouble.error == 0 ? "" : std::strerror(trouble.error));
}

}  // namespace weir::proxy
