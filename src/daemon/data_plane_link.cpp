#include "daemon/data_plane_link.hpp"

#include <string>

namespace weir::daemon {
namespace {

std::string state_name(routing::HealthState state) {
  switch (state) {
    case routing::HealthState::initial:
      return "initial";
    case routing::HealthState::healthy:
      return "healthy";
    case routing::HealthState::unhealthy:
      return "unhealthy";
  }
  return "initial";
}

}  // namespace

control::TargetHealth DataPlaneLink::health(const control::TargetKey& key) const {
  const auto& [group, id, port] = key;
  const auto status = checker_.status(group, id, port);
  control::TargetHealth health;
  health.target_id = id;
  health.port = port;
  health.state = state_name(status.state);
  health.reason = status.reason;
  health.description = status.description;
  return health;
}

Result<std::uint16_t> DataPlaneLink::open_port(std::uint16_t port) {
  return data_plane_.open_port(port);
}

}  // namespace weir::daemon
