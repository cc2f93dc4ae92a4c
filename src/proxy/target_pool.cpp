#include "proxy/target_pool.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "proxy/exchange.hpp"
#include "proxy/limits.hpp"
#include "proxy/worker.hpp"

namespace weir::proxy {

TargetConnection::TargetConnection(Worker& worker, TargetPool& pool,
                                   LocalRef<telemetry::BalancerCells> cells)
    : worker_(worker),
      pool_(&pool),
      cells_(std::move(cells)),
      idle_timer_([](void* self) { static_cast<TargetConnection*>(self)->on_idle_timeout(); },
                  this) {
  if (!cells_) return;
  cells_->counts.add(telemetry::OfBalancer::new_target_connections);
  cells_->counts.add(telemetry::OfBalancer::active_target_connections);
}

void TargetConnection::open(Fd socket, const net::Address& to) {
  stream_ = worker_.loop().connect(std::move(socket), to, this);
  stream_->set_receiving(true);
}

void TargetConnection::count_in(std::shared_ptr<routing::TargetHealthCell> cell,
                                routing::TargetLoad& load) {
  cell_ = std::move(cell);
  load_ = &load;
  load.connections.add(1);
}

void TargetConnection::give_back(std::int64_t idle_timeout_ms) {
  exchange_ = nullptr;
  if (!pool_->put_idle(this)) return close();
  worker_.loop().schedule(idle_timer_, idle_timeout_ms);
}

void TargetConnection::close(net::Close how) {
  if (exchange_ == nullptr) pool_->remove_idle(this);
  exchange_ = nullptr;
  if (load_ != nullptr) std::exchange(load_, nullptr)->connections.subtract(1);
  if (cells_) cells_->counts[telemetry::OfBalancer::active_target_connections].remove();
  stream_->close(how);
  worker_.loop().cancel(idle_timer_);
  worker_.retire(*this);
}

void TargetConnection::on_connected() {
  connected_ = true;
  if (exchange_ != nullptr) exchange_->on_target_connected();
}

void TargetConnection::on_received(net::Buffer data) {
  // Bytes that nobody asked for: the next answer could not be told from them.
  if (exchange_ == nullptr) return close();
  received_bytes_ += data.size();
  exchange_->on_target_received(std::move(data));
}

void TargetConnection::on_end() {
  if (exchange_ == nullptr) return close();
  exchange_->on_target_end();
}

void TargetConnection::on_drained() {
  if (exchange_ != nullptr) exchange_->on_target_drained();
}

void TargetConnection::on_piped(std::size_t bytes) {
  received_bytes_ += bytes;
  if (exchange_ != nullptr) exchange_->on_target_piped(bytes);
}

void TargetConnection::on_error(int error) {
  if (exchange_ == nullptr) return close();
  exchange_->on_target_error(error);
}

void TargetConnection::on_idle_timeout() {
  // Busy again since: the timer is set anew when it comes back.
  if (exchange_ == nullptr) close();
}

TargetPool::TargetPool(std::string ip, std::uint16_t target_port, bool is_in_vpc)
    : name_(name_of(ip, target_port)), is_in_vpc_(is_in_vpc) {
  auto address = net::Address::parse(ip, target_port);
  WEIR_ASSERT(address.has_value());  // the control plane lets numeric addresses in alone
  address_ = *address;
}

std::string TargetPool::name_of(const std::string& ip, std::uint16_t port) {
  return ip + ' ' + std::to_string(port);
}

TargetConnection* TargetPool::take_idle() {
  if (idle_.empty()) return nullptr;
  TargetConnection* connection = idle_.back();
  idle_.pop_back();
  return connection;
}

bool TargetPool::put_idle(TargetConnection* connection) {
  if (wanted_by == 0 || idle_.size() >= idle_connections_max) return false;
  idle_.push_back(connection);
  return true;
}

void TargetPool::remove_idle(TargetConnection* connection) { std::erase(idle_, connection); }

void TargetPool::close_idle() {
  while (!idle_.empty()) idle_.back()->close();
}

}  // namespace weir::proxy
