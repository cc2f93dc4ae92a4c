// The admin endpoint: GET /metrics (Prometheus), /healthz (the daemon runs), /ready (it serves).
//
// It gives away what the load balancers do, so it listens on loopback, or elsewhere only where a
// bearer token is asked of everybody (all but /healthz). One thread polls a bounded number of
// connections, each bounded in bytes and time, so that one that says nothing holds up nobody.
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
  // `where`: "127.0.0.1:9901", "[::1]:9901"; port 0: one of the kernel's choice. Without a `token`
  // ("" is none) an address that is not loopback is refused: "AdminAddress".
  [[nodiscard]] static Result<std::unique_ptr<AdminServer>> start(const std::string& where,
                                                                  AdminPages pages,
                                                                  std::string token = {});
  virtual ~AdminServer() = default;  // ends the thread
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

}  // namespace weir::daemon
