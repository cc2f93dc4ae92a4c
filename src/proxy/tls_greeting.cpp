#include "proxy/tls_greeting.hpp"

#include <utility>

#include "proxy/serving.hpp"
#include "proxy/worker.hpp"

namespace weir::proxy {

bool TlsGreeting::begin(Fd socket, tls::ServerContextPtr context) {
  net::Stream* inner = worker_.loop().adopt(std::move(socket), nullptr);
  stream_ = worker_.tls_streams().accept(inner, std::move(context), this);
  origin_.tls = stream_;
  return stream_ != nullptr;
}

void TlsGreeting::on_connected() {
  worker_.serve(stream_, origin_);
  worker_.retire(*this);
}

void TlsGreeting::on_error(int) {
  if (const auto cells = worker_.cells_of_port(origin_.bound_port, origin_.number)) {
    cells->counts.add(telemetry::OfBalancer::new_connections);
    cells->counts.add(telemetry::OfBalancer::client_tls_negotiation_errors);
  }
  worker_.accounting().connected(*worker_.serving(), origin_);
  stream_->close(net::Close::now);
  worker_.retire(*this);
}

}  // namespace weir::proxy
