// The connections of one worker to one target: idle ones are used again, the latest first.
//
// A pool lives as long as a snapshot in use names its target or a connection of it is open. A
// connection is owned by the worker's list; it is idle in its pool or busy with exactly one
// exchange.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "net/loop.hpp"
#include "proxy/local_ref.hpp"
#include "routing/snapshot.hpp"
#include "telemetry/cells.hpp"

namespace weir::proxy {

class Exchange;
class TargetConnection;
class Worker;

class TargetPool {
 public:
  TargetPool(std::string ip, std::uint16_t target_port, bool is_in_vpc);

  [[nodiscard]] TargetConnection* take_idle();
  // False: it is full, or no snapshot names the target any more.
  [[nodiscard]] bool put_idle(TargetConnection* connection);
  [[nodiscard]] bool has_idle() const { return !idle_.empty(); }
  void remove_idle(TargetConnection* connection);
  void close_idle();

  [[nodiscard]] const net::Address& address() const { return address_; }
  [[nodiscard]] bool is_in_vpc() const { return is_in_vpc_; }

  // "address port", by which the worker knows it: groups may share one.
  [[nodiscard]] static std::string name_of(const std::string& ip, std::uint16_t port);
  [[nodiscard]] const std::string& name() const { return name_; }

  // How many groups of the snapshot in force send requests to the target. By none: no idle
  // connection is kept.
  std::uint32_t wanted_by = 0;
  std::uint32_t references = 0;

 private:
  std::string name_;
  net::Address address_;
  bool is_in_vpc_;
  std::vector<TargetConnection*> idle_;
};

class TargetConnection final : public net::StreamEvents {
 public:
  // Counted as open in `cells`, which may be null.
  TargetConnection(Worker& worker, TargetPool& pool, LocalRef<telemetry::BalancerCells> cells);

  void open(Fd socket, const net::Address& to);
  // Counts among the target's connections from now to its end. `load` is of the cell.
  void count_in(std::shared_ptr<routing::TargetHealthCell> cell, routing::TargetLoad& load);
  // Gives it to an exchange, or back to its pool (which may close it instead).
  void use(Exchange& exchange) {
    exchange_ = &exchange;
    sent_before_ = stream_->bytes_in_all();
    received_bytes_ = 0;
  }
  void give_back(std::int64_t idle_timeout_ms);
  // No event follows; the object is retired.
  void close(net::Close how = net::Close::now);

  [[nodiscard]] net::Stream& stream() { return *stream_; }
  [[nodiscard]] bool is_connected() const { return connected_; }
  [[nodiscard]] Exchange* exchange() const { return exchange_; }
  // To and from the target since use().
  [[nodiscard]] std::uint64_t sent_bytes() const { return stream_->bytes_in_all() - sent_before_; }
  [[nodiscard]] std::uint64_t received_bytes() const { return received_bytes_; }

  std::uint32_t slot = 0;

 private:
  void on_connected() override;
  void on_received(net::Buffer data) override;
  void on_end() override;
  void on_drained() override;
  void on_piped(std::size_t bytes) override;
  void on_error(int error) override;
  void on_idle_timeout();

  Worker& worker_;
  LocalRef<TargetPool> pool_;
  std::shared_ptr<routing::TargetHealthCell> cell_;  // keeps load_
  routing::TargetLoad* load_ = nullptr;
  LocalRef<telemetry::BalancerCells> cells_;
  std::uint64_t sent_before_ = 0;
  std::uint64_t received_bytes_ = 0;
  net::Stream* stream_ = nullptr;
  Exchange* exchange_ = nullptr;
  net::Timer idle_timer_;
  bool connected_ = false;
};

}  // namespace weir::proxy
