// What the commands of the control socket work with: the running daemon's parts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "compute/compute.hpp"
#include "control/ec2.hpp"
#include "control/elb.hpp"
#include "control/registry.hpp"
#include "daemon/change_signal.hpp"
#include "daemon/publisher.hpp"
#include "daemon/version.hpp"
#include "metrics/metric_store.hpp"
#include "proxy/data_plane.hpp"
#include "stacks/engine.hpp"
#include "telemetry/totals.hpp"

namespace weir::daemon {

struct ApiStatus {
  std::string url;        // http://127.0.0.1:4566; empty: the AWS APIs are off
  bool verifies = false;  // signatures; false: any well-formed one is taken
};

struct Parts {
  std::string state_dir;
  std::int64_t started_wall_ms = 0;
  control::Registry& registry;
  control::Elb& elb;
  control::Ec2& ec2;
  compute::Compute& compute;
  stacks::Engine& engine;
  proxy::DataPlane& data_plane;
  Publisher& publisher;
  ChangeSignal& changes;
  metrics::MetricStore& metrics;
  std::shared_ptr<const telemetry::Ledger> ledger;
  std::function<void()> request_stop;
  ApiStatus api;
};

}  // namespace weir::daemon
