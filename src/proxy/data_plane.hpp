// The workers: what serves requests.
//
// One thread a core, each with its event loop, its listening sockets (SO_REUSEPORT), its client and
// target connections and its copy of the snapshot pointer. Workers share nothing but the immutable
// snapshot and the health cells in it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "net/loop.hpp"
#include "proxy/limits.hpp"
#include "routing/snapshot.hpp"
#include "telemetry/logs.hpp"
#include "telemetry/totals.hpp"

namespace weir::proxy {

struct DataPlaneOptions {
  int workers = 0;  // 0: one per core that this process may use
  std::optional<net::Backend> backend;
  WorkerLimits limits;
  std::vector<std::string> bind_addresses;  // numeric: "127.0.0.1", "::1"
  // Makes sockets that reach targets of the VPC (at most 64 a call); not set: any socket does. Any
  // thread.
  std::function<Result<std::vector<Fd>>(int count)> vpc_sockets;
  // What the workers count goes there; not set: a ledger that nobody reads.
  std::shared_ptr<telemetry::Ledger> ledger;
  // PEM certificates that identity providers are trusted by, besides the system's; empty: none.
  std::string identity_ca_file;
  // Writes the logs of requests and connections; not set: there are none.
  std::shared_ptr<telemetry::Logs> logs;
};

class DataPlane {
 public:
  [[nodiscard]] static Result<std::unique_ptr<DataPlane>> start(DataPlaneOptions options);
  virtual ~DataPlane() = default;  // ends the workers; connections are closed

  // Any thread. Listens on `port` of all bind addresses, or on `port` + 8000 where `port` may not
  // be or cannot be bound; 0: a port of the kernel's choice. Returns the port that listens.
  // Idempotent. "PortInUse" names both ports and why.
  [[nodiscard]] virtual Result<std::uint16_t> open_port(std::uint16_t port) = 0;

  // Any thread but a worker's. Returns when every worker serves by the snapshot.
  virtual void apply(routing::SnapshotPtr snapshot) = 0;

  [[nodiscard]] virtual net::Backend backend() const = 0;
  [[nodiscard]] virtual int workers() const = 0;
};

}  // namespace weir::proxy
