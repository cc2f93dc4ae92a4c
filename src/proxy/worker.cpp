#include "proxy/worker.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"
#include "net/socket.hpp"
#include "proxy/continuity.hpp"
#include "proxy/deregistration.hpp"
#include "proxy/limits.hpp"

namespace weir::proxy {

class Worker::PortAcceptor final : public net::AcceptEvents {
 public:
  PortAcceptor(Worker& worker, std::uint16_t bound_port)
      : worker_(worker), bound_port_(bound_port) {}

  void listen(Fd socket) { listener_ = worker_.loop().listen(std::move(socket), this); }
  void close() { listener_->close(); }
  [[nodiscard]] std::uint16_t bound_port() const { return bound_port_; }

  void on_accepted(Fd socket) override { worker_.accept(std::move(socket), bound_port_); }

  void on_accept_error(int error) override {
    const std::int64_t now = worker_.loop().now_ms();
    if (now < quiet_until_ms_) return;
    quiet_until_ms_ = now + 10'000;
    log::warn("cannot accept connections on port {}: {} (raise the limit of open files)",
              bound_port_, std::strerror(error));
  }

 private:
  Worker& worker_;
  net::Listener* listener_ = nullptr;
  std::uint16_t bound_port_;
  std::int64_t quiet_until_ms_ = 0;
};

Worker::Worker(std::unique_ptr<net::Loop> loop, VpcSockets vpc_sockets,
               std::shared_ptr<telemetry::WorkerCells> cells,
               std::shared_ptr<telemetry::LogRing> log, WorkerLimits limits,
               auth::KeySets* key_sets)
    : loop_(std::move(loop)),
      tls_streams_(*loop_),
      limits_(limits),
      memory_(limits.buffered_bytes),
      vpc_sockets_(std::move(vpc_sockets)),
      accounting_(std::move(cells), std::move(log)),
      key_sets_(key_sets),
      trace_ids_(random_u64()),
      burial_(
          [](void* self) {
            static_cast<Worker*>(self)->clients_.bury();
            static_cast<Worker*>(self)->greetings_.bury();
            static_cast<Worker*>(self)->targets_.bury();
            static_cast<Worker*>(self)->mirrors_.bury();
          },
          this),
      seed_(random_u64()) {
  // Clients are given to the load balancer's nodes in turn: from a place of the worker's own.
  connections_accepted_ = seed_ >> 1U;
  apply(std::make_shared<const routing::Snapshot>());
}

Worker::~Worker() = default;

void Worker::listen(Fd socket, std::uint16_t bound_port) {
  acceptors_.push_back(std::make_unique<PortAcceptor>(*this, bound_port));
  acceptors_.back()->listen(std::move(socket));
}

void Worker::accept(Fd socket, std::uint16_t bound_port) {
  const auto number = static_cast<std::uint32_t>(next_connection_number());
  const ClientOrigin origin = origin_of(socket.get(), bound_port, number, loop_->now_us());
  const routing::Listener* listener = serving_->snapshot->find_listener(bound_port, {});
  if (listener != nullptr && listener->is_https) return greet(std::move(socket), origin, *listener);
  serve(loop_->adopt(std::move(socket), nullptr), origin);
}

// Where no certificate can be used, the connection is closed at once.
void Worker::greet(Fd socket, const ClientOrigin& origin, const routing::Listener& listener) {
  if (listener.tls == nullptr) return;
  TlsGreeting* greeting = greetings_.add(std::make_unique<TlsGreeting>(*this, origin));
  if (!greeting->begin(std::move(socket), listener.tls->context)) retire(*greeting);
}

void Worker::close_port(std::uint16_t bound_port) {
  std::erase_if(acceptors_, [bound_port](const auto& acceptor) {
    if (acceptor->bound_port() != bound_port) return false;
    acceptor->close();
    return true;
  });
}

void Worker::on_keys(std::uint64_t ticket, const auth::KeyAnswer& answer) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return;  // its client has gone
  Exchange* exchange = found->second;
  waiting_.erase(found);
  exchange->on_keys(answer);
}

void Worker::apply(routing::SnapshotPtr snapshot) {
  LocalRef<Serving> serving(new Serving);
  serving->groups.reserve(snapshot->target_groups.size());
  for (const routing::TargetGroup& group : snapshot->target_groups)
    serving->groups.push_back(group_of(group));
  serving->rate_lanes.reserve(snapshot->load_balancers.size());
  for (const routing::LoadBalancer& load_balancer : snapshot->load_balancers) {
    const auto& limit = load_balancer.rate_limit;
    serving->rate_lanes.push_back(limit != nullptr ? limit->limiter->lane_of(this) : nullptr);
  }
  serving->cells = accounting_.prepare(*snapshot, loop_->now_ms());
  stickiness_.sealer.use(snapshot->stickiness_keys);
  const bool cuts_off = serving_ && end_registrations(*serving_, *snapshot);
  serving->snapshot = std::move(snapshot);
  const LocalRef<Serving> before = std::exchange(serving_, std::move(serving));
  if (before) leave_groups(*before);
  if (cuts_off) cut_off_deregistered();
}

// That which serves already where nothing about it has changed.
LocalRef<Serving::Group> Worker::group_of(const routing::TargetGroup& now) {
  Serving::Group* before = serving_ ? serving_->find_group(now.arn) : nullptr;
  if (before != nullptr && before->target_group.version == now.version)
    return LocalRef<Serving::Group>(before);
  LocalRef<Serving::Group> group(new Serving::Group(now, seed_, trace_ids_.next()));
  const Continuity stays = continuity(now, before == nullptr ? nullptr : &before->target_group);
  group->cells = accounting_.prepare(now, before == nullptr ? nullptr : &before->cells, stays);
  if (before != nullptr) group->retry_budget = before->retry_budget;
  take_pools(*group, before, stays);
  return group;
}

void Worker::cut_off_deregistered() {
  targets_.for_each([](TargetConnection& connection) {
    if (connection.exchange() != nullptr) connection.exchange()->on_registration_ended();
  });
}

void Worker::take_pools(Serving::Group& group, const Serving::Group* before,
                        const Continuity& stays) {
  const auto& targets = group.target_group.targets;
  group.pools.resize(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!targets[i].usable || targets[i].draining) continue;
    const auto& [old, is_same] = stays.targets[i];
    group.pools[i] = is_same ? before->pools[old] : pool_of(targets[i]);
    ++group.pools[i]->wanted_by;
  }
}

LocalRef<TargetPool> Worker::pool_of(const routing::Target& target) {
  LocalRef<TargetPool>& pool = pools_[TargetPool::name_of(target.address, target.port)];
  if (!pool) pool = LocalRef(new TargetPool(target.address, target.port, target.in_vpc));
  return pool;
}

// Those of `before` that serve no longer want their pools no longer; what nobody wants is dropped.
void Worker::leave_groups(const Serving& before) {
  for (const LocalRef<Serving::Group>& group : before.groups) {
    if (serving_->find_group(group->target_group.arn) == group.get()) continue;
    for (const LocalRef<TargetPool>& pool : group->pools) {
      if (!pool || --pool->wanted_by > 0) continue;
      pool->close_idle();
      pools_.erase(pool->name());
    }
  }
}

balancing::WeightedChooser& Worker::weighted_chooser(Serving& serving,
                                                     const routing::Forward& action) {
  const auto found = serving.weighted.find(&action);
  if (found != serving.weighted.end()) return found->second;
  return serving.weighted.try_emplace(&action, action, trace_ids_.next()).first->second;
}

Fd Worker::target_socket(const TargetPool& pool) {
  if (!pool.is_in_vpc() || !vpc_sockets_) {
    auto socket = net::tcp_socket(pool.address().storage.ss_family);
    if (socket) return std::move(*socket);
    log::warn("cannot connect to {}: {}", pool.address().ip(), socket.error().message);
    return {};
  }
  if (spare_vpc_sockets_.empty()) {
    auto sockets = vpc_sockets_(vpc_sockets_batch);
    if (!sockets) {
      log::warn("cannot connect to {}: {}", pool.address().ip(), sockets.error().message);
      return {};
    }
    spare_vpc_sockets_ = std::move(*sockets);
  }
  if (spare_vpc_sockets_.empty()) return {};
  Fd socket = std::move(spare_vpc_sockets_.back());
  spare_vpc_sockets_.pop_back();
  return socket;
}

Fd Worker::socket_from_node(const TargetPool& pool, const routing::LoadBalancer& load_balancer,
                            std::uint64_t client_number) {
  Fd socket = target_socket(pool);
  if (!socket) return socket;
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (pool.is_in_vpc() && !load_balancer.nodes.empty()) {
    const auto& node = load_balancer.nodes[client_number % load_balancer.nodes.size()];
    // The node's address is what security groups know the load balancer by. Where it cannot be had
    // the connection goes out from the gateway's address.
    if (const auto source = net::Address::parse(node.private_ip, 0))
      net::set_source(socket.get(), *source);
  }
  return socket;
}

TargetConnection* Worker::open_target(TargetPool& pool, const routing::LoadBalancer& load_balancer,
                                      std::uint64_t client_number,
                                      LocalRef<telemetry::BalancerCells> cells) {
  Fd socket = socket_from_node(pool, load_balancer, client_number);
  if (!socket) return nullptr;
  TargetConnection* connection =
      targets_.add(std::make_unique<TargetConnection>(*this, pool, std::move(cells)));
  connection->open(std::move(socket), pool.address());
  return connection;
}

MirrorCopy* Worker::open_mirror(const TargetPool& pool, const MirrorFacts& facts,
                                MirrorCopy*& holder) {
  if (mirrors_open_ >= mirror_copies_max) return nullptr;
  Fd socket = socket_from_node(pool, facts.load_balancer, facts.client_number);
  if (!socket) return nullptr;
  ++mirrors_open_;
  MirrorCopy* copy = mirrors_.add(std::make_unique<MirrorCopy>(*this, facts.method, holder));
  copy->open(std::move(socket), pool.address());
  return copy;
}

Exchange* Worker::take_exchange() {
  return exchanges_.take([this] { return std::make_unique<Exchange>(*this); });
}

void Worker::retire(ClientConnection& connection) {
  clients_.retire(&connection);
  bury_soon();
}

void Worker::retire(TlsGreeting& greeting) {
  greetings_.retire(&greeting);
  bury_soon();
}

void Worker::retire(TargetConnection& connection) {
  targets_.retire(&connection);
  bury_soon();
}

void Worker::retire(MirrorCopy& copy) {
  --mirrors_open_;
  mirrors_.retire(&copy);
  bury_soon();
}

void Worker::bury_soon() {
  if (!burial_.is_scheduled()) loop_->schedule(burial_, 0);
}

std::int64_t Worker::unix_seconds() {
  const std::int64_t now = loop_->now_ms();
  if (now >= unix_seconds_until_ms_) {
    const std::int64_t wall = wall_ms();
    unix_seconds_ = wall / 1000;
    unix_seconds_until_ms_ = now + 1000 - wall % 1000;
  }
  return unix_seconds_;
}

bool Worker::is_memory_spent() {
  if (!memory_.is_spent(loop_->buffered_bytes())) return false;
  if (loop_->now_ms() >= memory_quiet_until_ms_) {
    memory_quiet_until_ms_ = loop_->now_ms() + 10'000;
    log::warn("a worker holds {} MiB that peers do not take: new requests get 503",
              loop_->buffered_bytes() >> 20U);
  }
  return true;
}

std::string_view Worker::own_response(http::OwnResponse& response,
                                      const routing::Listener* listener) {
  if (listener != nullptr) {
    response.has_server = listener->response_headers.has_server;
    response.more_headers = listener->response_headers.lines;
  }
  own_response_.clear();
  http::append_own_response(own_response_, response, date_.at(unix_seconds()));
  return own_response_;
}

std::int64_t Worker::idle_timeout_ms(std::uint16_t bound_port) const {
  const routing::Listener* listener = serving_->snapshot->find_listener(bound_port, {});
  if (listener == nullptr) return 60'000;
  return serving_->snapshot->load_balancers[listener->load_balancer].idle_timeout_ms;
}

}  // namespace weir::proxy
