// A client's connection to an HTTPS listener until its handshake is over: then it becomes a
// ClientConnection, or is counted and logged as one that failed.
#pragma once

#include <cstdint>

#include "base/fd.hpp"
#include "net/loop.hpp"
#include "proxy/client_origin.hpp"
#include "tls/stream.hpp"

namespace weir::proxy {

class Worker;

class TlsGreeting final : public net::StreamEvents {
 public:
  TlsGreeting(Worker& worker, const ClientOrigin& origin) : worker_(worker), origin_(origin) {}

  // False: no memory for it; the socket is closed.
  [[nodiscard]] bool begin(Fd socket, tls::ServerContextPtr context);

  std::uint32_t slot = 0;

 private:
  void on_connected() override;
  void on_received(net::Buffer) override {}  // not before the handshake is over
  void on_end() override {}
  void on_error(int error) override;

  Worker& worker_;
  ClientOrigin origin_;
  tls::TlsStream* stream_ = nullptr;
};

}  // namespace weir::proxy
