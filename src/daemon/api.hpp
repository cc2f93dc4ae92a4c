// The endpoint of the AWS APIs, as the daemon runs it.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "daemon/parts.hpp"

namespace weir::daemon {

inline constexpr std::uint16_t api_port = 4566;

class Api {
 public:
  // `where`: "127.0.0.1:4566", "[::1]:0" (a port of the kernel's choice), or empty: 127.0.0.1:4566,
  // or the next port that is free. Signatures are verified where `verify` says so, and off loopback
  // in any case.
  [[nodiscard]] static Result<std::unique_ptr<Api>> start(const std::string& where, bool verify,
                                                          Parts& parts);
  virtual ~Api() = default;  // waits for the calls under way
  [[nodiscard]] virtual const ApiStatus& status() const = 0;
};

}  // namespace weir::daemon
