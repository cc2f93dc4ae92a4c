#include "proxy/data_plane.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "auth/key_sets.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "net/socket.hpp"
#include "proxy/anomaly_thread.hpp"
#include "proxy/worker.hpp"

namespace weir::proxy {
namespace {

constexpr int unprivileged_shift = 8000;

int cores_allowed() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

struct Thread {
  net::Loop* loop = nullptr;
  std::unique_ptr<Worker> worker;
  std::thread thread;
};

class Workers final : public DataPlane {
 public:
  explicit Workers(DataPlaneOptions options) : options_(std::move(options)) {}
  ~Workers() override;
  Status start();

  Result<std::uint16_t> open_port(std::uint16_t port) override;
  void apply(routing::SnapshotPtr snapshot) override;
  [[nodiscard]] net::Backend backend() const override { return threads_.front().loop->backend(); }
  [[nodiscard]] int workers() const override { return static_cast<int>(threads_.size()); }

 private:
  // One listening socket an address and worker.
  using Sockets = std::vector<Fd>;
  Result<Sockets> bind_all(std::uint16_t& port);

  DataPlaneOptions options_;
  std::vector<Thread> threads_;
  std::unique_ptr<auth::KeySets> key_sets_;  // goes before the loops that it answers to
  std::mutex mutex_;  // of ports_, and so that changes reach all workers in one order
  std::map<std::uint16_t, std::uint16_t> ports_;  // asked for → listens
  AnomalyThread anomalies_;
  std::set<std::uint16_t> served_;  // listening ports of the snapshot in force
};

Status Workers::start() {
  if (options_.bind_addresses.empty()) options_.bind_addresses = {"127.0.0.1", "::1"};
  if (!options_.ledger) options_.ledger = std::make_shared<telemetry::Ledger>();
  const int count = options_.workers > 0 ? options_.workers : cores_allowed();
  key_sets_ = std::make_unique<auth::KeySets>(options_.identity_ca_file);
  net::LoopOptions loop_options;
  loop_options.backend = options_.backend;
  for (int i = 0; i < count; ++i) {
    auto loop = net::Loop::create(loop_options);
    if (!loop) return std::unexpected(loop.error());
    Thread& thread = threads_.emplace_back();
    thread.loop = loop->get();
    thread.worker = std::make_unique<Worker>(
        std::move(*loop), options_.vpc_sockets, options_.ledger->add_worker(),
        options_.logs ? options_.logs->add_writer() : nullptr, options_.limits, key_sets_.get());
  }
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    threads_[i].thread = std::thread([loop = threads_[i].loop] { loop->run(); });
    const std::string name = "worker-" + std::to_string(i);
    pthread_setname_np(threads_[i].thread.native_handle(), name.c_str());
  }
  return {};
}

Workers::~Workers() {
  for (Thread& each : threads_) each.loop->stop();
  for (Thread& each : threads_)
    if (each.thread.joinable()) each.thread.join();
}

// Tries an address without SO_REUSEPORT first: with it, a port that another program of the same
// user listens on in the same way would be shared with it in silence.
Result<Workers::Sockets> Workers::bind_all(std::uint16_t& port) {
  Sockets sockets;
  bool bound_any = false;
  for (const std::string& text : options_.bind_addresses) {
    auto address = net::Address::parse(text, port);
    if (!address) return std::unexpected(address.error());
    {
      auto probe = net::tcp_listen(*address, false);
      if (!probe) {
        // A machine without IPv6 has no ::1; the other addresses do.
        const bool is_absent = text.find(':') != std::string::npos &&
                               probe.error().code != "EADDRINUSE" && probe.error().code != "EACCES";
        if (is_absent && options_.bind_addresses.size() > 1) continue;
        return std::unexpected(probe.error());
      }
      if (port == 0) port = net::local_address(probe->get())->port();
    }
    address = net::Address::parse(text, port);
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      auto socket = net::tcp_listen(*address, true);
      if (!socket) return std::unexpected(socket.error());
      sockets.push_back(std::move(*socket));
    }
    bound_any = true;
  }
  if (!bound_any) return fail("PortInUse", "none of the bind addresses can be used");
  return sockets;
}

Result<std::uint16_t> Workers::open_port(std::uint16_t port) {
  const std::lock_guard lock(mutex_);
  if (const auto open = ports_.find(port); port != 0 && open != ports_.end()) return open->second;
  std::uint16_t bound = port;
  auto sockets = bind_all(bound);
  if (!sockets && port > 0 && port <= 65535 - unprivileged_shift) {
    bound = static_cast<std::uint16_t>(port + unprivileged_shift);
    auto moved = bind_all(bound);
    if (!moved)
      return fail("PortInUse",
                  sockets.error().message + "; nor does port " + std::to_string(bound) +
                      " serve: " + moved.error().message,
                  "end the program that uses the port, or give the listener another one");
    sockets = std::move(moved);
  }
  if (!sockets)
    return fail("PortInUse", sockets.error().message,
                "end the program that uses the port, or give the listener another one");
  ports_[port == 0 ? bound : port] = bound;
  std::latch listening(static_cast<std::ptrdiff_t>(threads_.size()));
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    auto mine = std::make_shared<Sockets>();
    for (std::size_t k = i; k < sockets->size(); k += threads_.size())
      mine->push_back(std::move((*sockets)[k]));
    threads_[i].loop->post([worker = threads_[i].worker.get(), mine, bound, &listening] {
      for (Fd& socket : *mine) worker->listen(std::move(socket), bound);
      listening.count_down();
    });
  }
  listening.wait();
  return bound;
}

void Workers::apply(routing::SnapshotPtr snapshot) {
  const std::lock_guard lock(mutex_);
  // Ports whose last listener has gone are closed, so that another program may have them.
  std::set<std::uint16_t> serves;
  for (const auto& [port, listeners] : snapshot->ports) serves.insert(port);
  std::vector<std::uint16_t> gone;
  std::set_difference(served_.begin(), served_.end(), serves.begin(), serves.end(),
                      std::back_inserter(gone));
  for (const std::uint16_t port : gone)
    std::erase_if(ports_, [port](const auto& each) { return each.second == port; });
  served_ = std::move(serves);
  if (options_.logs) options_.logs->apply(*snapshot);
  std::latch applied(static_cast<std::ptrdiff_t>(threads_.size()));
  for (Thread& each : threads_) {
    each.loop->post([worker = each.worker.get(), &snapshot, &gone, &applied] {
      worker->apply(snapshot);
      for (const std::uint16_t port : gone) worker->close_port(port);
      applied.count_down();
    });
  }
  applied.wait();
  anomalies_.apply(snapshot);
  options_.ledger->set_snapshot(std::move(snapshot));
}

}  // namespace

Result<std::unique_ptr<DataPlane>> DataPlane::start(DataPlaneOptions options) {
  auto workers = std::make_unique<Workers>(std::move(options));
  if (auto started = workers->start(); !started) return std::unexpected(started.error());
  return workers;
}

}  // namespace weir::proxy
