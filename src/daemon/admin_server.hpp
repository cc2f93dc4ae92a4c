// The admin endpoint: GET /metrics (Prometheus), /healthz (the daemon runs), /ready (it serves).
//
// One thread, one connection at a time, each bounded in bytes and time: its readers are a scraper
// and a supervisor on this machine. It gives away what the load balancers do, so it listens on
// loopback alone.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::daemon {

struct AdminPages {
  std::function<std::string()> metrics;
  std::function<bool()> is_ready;
};

class AdminServer {
 public:
  // `where`: "127.0.0.1:9901", "[::1]:9901"; port 0: one of the kernel's choice.
  [[nodiscard]] static Result<std::unique_ptr<AdminServer>> start(const std::string& where,
                                                                  AdminPages pages);
  virtual ~AdminServer() = default;  // ends the thread
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

}  // namespace weir::daemon
