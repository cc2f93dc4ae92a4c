// One thread of the data plane: its loop, listeners, connections and what they share.
//
// Everything of a worker is touched by its own thread only, but for loop().post(). The per-worker
// scratch heads are filled by a parser and used up before the call that parsed returns.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/key_sets.hpp"
#include "base/slot_list.hpp"
#include "http/message.hpp"
#include "http/own_response.hpp"
#include "http/writer.hpp"
#include "net/loop.hpp"
#include "proxy/accounting.hpp"
#include "proxy/client_connection.hpp"
#include "proxy/compression.hpp"
#include "proxy/exchange.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/inbox.hpp"
#include "proxy/lending_pool.hpp"
#include "proxy/memory.hpp"
#include "proxy/mirror.hpp"
#include "proxy/serving.hpp"
#include "proxy/stickiness.hpp"
#include "proxy/target_pool.hpp"
#include "proxy/tls_greeting.hpp"
#include "proxy/trouble_log.hpp"
#include "routing/snapshot.hpp"
#include "tls/stream.hpp"

namespace weir::proxy {

using VpcSockets = std::function<Result<std::vector<Fd>>(int count)>;

class Worker {
 public:
  Worker(std::unique_ptr<net::Loop> loop, VpcSockets vpc_sockets,
         std::shared_ptr<telemetry::WorkerCells> cells, std::shared_ptr<telemetry::LogRing> log,
         WorkerLimits limits = {}, auth::KeySets* key_sets = nullptr);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void listen(Fd socket, std::uint16_t bound_port);
  void close_port(std::uint16_t bound_port);
  void apply(routing::SnapshotPtr snapshot);

  // For its connections and exchanges.
  [[nodiscard]] net::Loop& loop() { return *loop_; }
  [[nodiscard]] const LocalRef<Serving>& serving() const { return serving_; }
  [[nodiscard]] Accounting& accounting() { return accounting_; }
  [[nodiscard]] LocalRef<telemetry::BalancerCells> cells_of_port(
      std::uint16_t bound_port, std::uint64_t connection_number) const {
    return Accounting::cells_of(*serving_->snapshot, serving_->cells, bound_port,
                                connection_number);
  }
  [[nodiscard]] balancing::WeightedChooser& weighted_chooser(Serving& serving,
                                                             const routing::Forward& action);
  // A connection under way to the pool's target, from the address of one of the load balancer's
  // nodes; nullptr where no socket can be had.
  [[nodiscard]] TargetConnection* open_target(TargetPool& pool,
                                              const routing::LoadBalancer& load_balancer,
                                              std::uint64_t client_number,
                                              LocalRef<telemetry::BalancerCells> cells);
  [[nodiscard]] Exchange* take_exchange();
  void give_exchange(Exchange* exchange) { exchanges_.give(exchange); }
  [[nodiscard]] Inbox* take_inbox() {
    return inboxes_.take([] { return std::make_unique<Inbox>(); });
  }
  void give_inbox(Inbox* inbox) {
    inbox->restart();
    inboxes_.give(inbox);
  }
  // A client's connection that can carry requests.
  void serve(net::Stream* stream, const ClientOrigin& origin) {
    clients_.add(std::make_unique<ClientConnection>(*this, stream, origin));
  }
  [[nodiscard]] tls::Streams& tls_streams() { return tls_streams_; }
  void retire(ClientConnection& connection);
  void retire(TlsGreeting& greeting);
  void retire(TargetConnection& connection);
  // nullptr: too many copies are under way, or no socket can be had.
  [[nodiscard]] MirrorCopy* open_mirror(const TargetPool& pool, const MirrorFacts& facts,
                                        MirrorCopy*& holder);
  void retire(MirrorCopy& copy);
  [[nodiscard]] http::RequestHead& request_head() { return request_head_; }
  [[nodiscard]] http::ResponseHead& response_head() { return response_head_; }
  [[nodiscard]] CompressorPool& compressors() { return compressors_; }
  [[nodiscard]] TraceIds& trace_ids() { return trace_ids_; }
  [[nodiscard]] StickinessTools& stickiness() { return stickiness_; }
  // nullptr: tokens cannot be validated.
  [[nodiscard]] auth::KeySets* key_sets() const { return key_sets_; }
  // Exchanges that wait for keys, by tickets that never come again.
  [[nodiscard]] std::uint64_t wait(Exchange& exchange) {
    waiting_.emplace(++last_ticket_, &exchange);
    return last_ticket_;
  }
  void forget_waiting(std::uint64_t ticket) { waiting_.erase(ticket); }
  void on_keys(std::uint64_t ticket, const auth::KeyAnswer& answer);
  [[nodiscard]] TroubleLog& trouble_log() { return trouble_log_; }
  [[nodiscard]] std::int64_t connect_timeout_ms() const { return limits_.connect_timeout_ms; }
  [[nodiscard]] std::size_t queued_bytes_high() const {
    return memory_.queued_bytes_high(loop_->buffered_bytes());
  }
  [[nodiscard]] bool is_memory_tight() const { return memory_.is_tight(loop_->buffered_bytes()); }
  // True: a new request is not served; says so in the log now and then.
  [[nodiscard]] bool is_memory_spent();
  [[nodiscard]] std::int64_t unix_seconds();
  // The bytes of a response of the load balancer's own, with what the listener's attributes add
  // (nullptr: nothing); valid until the next call.
  [[nodiscard]] std::string_view own_response(http::OwnResponse& response,
                                              const routing::Listener* listener);
  [[nodiscard]] std::uint64_t next_connection_number() { return connections_accepted_++; }
  // Of a connection that has not said yet which load balancer it wants.
  [[nodiscard]] std::int64_t idle_timeout_ms(std::uint16_t bound_port) const;

 private:
  class PortAcceptor;

  void accept(Fd socket, std::uint16_t bound_port);
  void greet(Fd socket, const ClientOrigin& origin, const routing::Listener& listener);
  [[nodiscard]] LocalRef<Serving::Group> group_of(const routing::TargetGroup& now);
  void take_pools(Serving::Group& group, const Serving::Group* before, const Continuity& stays);
  [[nodiscard]] LocalRef<TargetPool> pool_of(const routing::Target& target);
  [[nodiscard]] Fd target_socket(const TargetPool& pool);
  [[nodiscard]] Fd socket_from_node(const TargetPool& pool,
                                    const routing::LoadBalancer& load_balancer,
                                    std::uint64_t client_number);
  void leave_groups(const Serving& before);
  void cut_off_deregistered();
  void bury_soon();

  std::unique_ptr<net::Loop> loop_;
  tls::Streams tls_streams_;
  WorkerLimits limits_;
  MemoryBudget memory_;
  TroubleLog trouble_log_;
  std::int64_t memory_quiet_until_ms_ = 0;
  VpcSockets vpc_sockets_;
  std::vector<Fd> spare_vpc_sockets_;
  std::vector<std::unique_ptr<PortAcceptor>> acceptors_;
  Accounting accounting_;
  LocalRef<Serving> serving_;
  std::map<std::string, LocalRef<TargetPool>> pools_;  // by "address port"
  SlotList<ClientConnection> clients_;
  SlotList<TlsGreeting> greetings_;
  SlotList<TargetConnection> targets_;
  SlotList<MirrorCopy> mirrors_;
  std::size_t mirrors_open_ = 0;
  auth::KeySets* key_sets_;
  std::map<std::uint64_t, Exchange*> waiting_;
  std::uint64_t last_ticket_ = 0;
  LendingPool<Exchange> exchanges_;
  LendingPool<Inbox> inboxes_;
  http::RequestHead request_head_;
  http::ResponseHead response_head_;
  http::DateCache date_;
  std::string own_response_;
  TraceIds trace_ids_;
  StickinessTools stickiness_;
  CompressorPool compressors_;
  net::Timer burial_;
  std::uint64_t seed_;
  std::uint64_t connections_accepted_ = 0;
  std::int64_t unix_seconds_ = 0;
  std::int64_t unix_seconds_until_ms_ = 0;  // on the loop's clock
};

}  // namespace weir::proxy
