// The bridge from exchanges to telemetry/: fills what all requests have in common into a record,
// and moves the counters when it ends. One a worker, its thread only.
//
// Cells are looked up when a snapshot is taken (prepare) and lie in the Serving by position, so the
// way of a request adds to counters that it has an index for. Bytes are differences of what the
// connections' streams have taken in all, so no code that sends needs to count.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "proxy/client_origin.hpp"
#include "proxy/continuity.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/local_ref.hpp"
#include "routing/snapshot.hpp"
#include "telemetry/log_ring.hpp"
#include "telemetry/request_record.hpp"
#include "telemetry/worker_cells.hpp"

namespace weir::proxy {

class ClientConnection;
struct Serving;

// The cells of one target group, by the positions of its targets.
struct GroupCells {
  std::vector<std::string> zone_names;
  std::vector<LocalRef<telemetry::GroupCells>> zones;
  std::vector<std::uint32_t> zone_of_target;  // in `zones`
  std::vector<LocalRef<telemetry::TargetCells>> targets;
};

// Those of load balancers of one Serving, by the positions of its snapshot.
struct ServingCells {
  std::vector<std::vector<LocalRef<telemetry::BalancerCells>>> balancers;  // by node
  bool logs_connections = false;  // some load balancer does
};

class Accounting {
 public:
  // `log` may be null: no access log is written then.
  Accounting(std::shared_ptr<telemetry::WorkerCells> cells,
             std::shared_ptr<telemetry::LogRing> log);

  // Of the head for the target: X-Amzn-Trace-Id, where it will be logged, and what became of
  // header fields with invalid names.
  static void note_request_head(telemetry::RequestRecord& record, std::string_view head,
                                std::uint32_t invalid_headers);

  [[nodiscard]] ServingCells prepare(const routing::Snapshot& snapshot, std::int64_t now_ms);
  // `before` lends the cells of targets that stay; null where `stays` says that none does.
  [[nodiscard]] GroupCells prepare(const routing::TargetGroup& group, const GroupCells* before,
                                   const Continuity& stays);

  // The node of the load balancer that a connection came in by.
  [[nodiscard]] static std::uint32_t node_of(const routing::LoadBalancer& load_balancer,
                                             std::uint64_t connection_number);
  // Cells of the load balancer that a connection to `bound_port` is counted for: until its Host is
  // known, that is the port's first. Null where the port has none.
  [[nodiscard]] static LocalRef<telemetry::BalancerCells> cells_of(
      const routing::Snapshot& snapshot, const ServingCells& cells, std::uint16_t bound_port,
      std::uint64_t connection_number);

  // A client's connection is there, or could not shake hands: a line of the connection log of the
  // port's first load balancer.
  void connected(const Serving& serving, const ClientOrigin& client);

  // One route in sixteen is timed exactly.
  [[nodiscard]] bool times_this_route() { return (routes_++ & 15U) == 0; }

  void begin(telemetry::RequestRecord& record, const ClientConnection& client,
             const http::RequestHead& head, const routing::Listener& listener,
             const routing::LoadBalancer& load_balancer, std::int64_t now_us);
  // The exchange is over; `client` may be at its end. Nothing is counted of a request that came to
  // a load balancer which is no more.
  void end(telemetry::RequestRecord& record, const Serving& serving, const ClientConnection& client,
           std::int64_t now_us);

  // A head that is no request, or did not come in time: counted for the port's first load balancer.
  // `reason`: why it is not compliant; none where it is.
  void refused(const Serving& serving, const ClientConnection& client, int status,
               http::DesyncReason reason, std::int64_t now_us);

 private:
  [[nodiscard]] bool logs(const routing::LoadBalancer& load_balancer, routing::LogKind kind) const {
    return log_ != nullptr && load_balancer.logs[kind].is_on();
  }
  // What the lines of a connection and of its requests have in common.
  [[nodiscard]] std::uint64_t id_of(std::uint64_t connection_number) const;
  void log(const telemetry::RequestRecord& record, const ClientConnection& client,
           telemetry::BalancerCells& cells);

  std::shared_ptr<telemetry::WorkerCells> cells_;
  std::int64_t prune_from_ms_ = 0;
  std::shared_ptr<telemetry::LogRing> log_;
  std::string packed_;  // scratch
  std::uint64_t seed_;  // of the ids of connections
  TraceIds trace_ids_;  // of requests that are not forwarded; only where they are logged
  std::uint32_t routes_ = 0;
};

}  // namespace weir::proxy
