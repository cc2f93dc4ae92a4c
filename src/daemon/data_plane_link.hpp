// The control plane's view of the running data plane: health from the checker, ports from the
// workers.
#pragma once

#include "control/elb.hpp"
#include "health/checker.hpp"
#include "proxy/data_plane.hpp"

namespace weir::daemon {

class DataPlaneLink final : public control::DataPlane {
 public:
  DataPlaneLink(health::Checker& checker, proxy::DataPlane& data_plane)
      : checker_(checker), data_plane_(data_plane) {}

  [[nodiscard]] control::TargetHealth health(const control::TargetKey& key) const override;
  [[nodiscard]] Result<std::uint16_t> open_port(std::uint16_t port) override;

 private:
  health::Checker& checker_;
  proxy::DataPlane& data_plane_;
};

}  // namespace weir::daemon
