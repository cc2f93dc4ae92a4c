#include "daemon/api.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "aws/server/dispatch.hpp"
#include "aws/server/http_server.hpp"
#include "base/log.hpp"
#include "daemon/api_services.hpp"
#include "net/socket.hpp"

namespace weir::daemon {
namespace {

constexpr int ports_tried_max = 100;

Result<net::Address> parse_where(const std::string& where) {
  const std::string hint = "--api takes an address and a port, such as 127.0.0.1:4566, or off";
  const auto colon = where.rfind(':');
  if (colon == std::string::npos) return fail("ApiAddress", "no port in '" + where + "'", hint);
  std::string ip = where.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  std::uint16_t port = 0;
  const char* end = where.data() + where.size();
  const auto parsed = std::from_chars(where.data() + colon + 1, end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end)
    return fail("ApiAddress", "no port in '" + where + "'", hint);
  auto address = net::Address::parse(ip, port);
  if (!address) return fail("ApiAddress", "'" + ip + "' is no address", hint);
  return address;
}

Result<Fd> listen_anywhere() {
  Result<Fd> listener;
  for (int i = 0; i < ports_tried_max; ++i) {
    const auto address = net::Address::parse("127.0.0.1", static_cast<std::uint16_t>(api_port + i));
    if (!address) return std::unexpected(address.error());
    listener = net::tcp_listen(*address, false, 256);
    if (listener) break;
  }
  return listener;
}

Result<Fd> listen(const std::string& where) {
  if (where.empty()) return listen_anywhere();
  const auto address = parse_where(where);
  if (!address) return std::unexpected(address.error());
  return net::tcp_listen(*address, false, 256);
}

std::string url_of(const net::Address& address) {
  const auto ip = address.ip();
  const bool is_v6 = ip.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", is_v6 ? "[" : "", ip, is_v6 ? "]" : "", address.port());
}

// As the kernel sees it: "::ffff:127.0.0.1" is not taken for loopback.
bool is_loopback(const net::Address& address) {
  const auto ip = address.ip();
  return ip.starts_with("127.") || ip == "::1";
}

std::shared_ptr<const aws::Access> make_access(bool verifies, Parts& parts) {
  aws::AccessOptions options;
  options.account = parts.registry.account();
  options.verifies = verifies;
  options.secret_of = [&registry = parts.registry](const std::string& id) {
    std::optional<std::string> secret;
    registry.read([&](const control::State& state) {
      const auto found = state.access_keys.find(id);
      if (found != state.access_keys.end()) secret = found->second.secret;
    });
    return secret;
  };
  return std::make_shared<const aws::Access>(std::move(options));
}

class RunningApi final : public Api {
 public:
  RunningApi(ApiStatus status, Parts& parts)
      : status_(std::move(status)),
        access_(make_access(status_.verifies, parts)),
        dispatcher_(make_services(parts, access_), access_) {}

  Status serve(Fd listener) {
    auto server = aws::HttpServer::start(
        std::move(listener),
        {[this](const aws::HttpRequest& request) { return dispatcher_.answer(request); },
         [this](const aws::HttpRequest& request) { return dispatcher_.too_large(request); }});
    if (!server) return std::unexpected(server.error());
    server_ = std::move(*server);
    return {};
  }

  [[nodiscard]] const ApiStatus& status() const override { return status_; }

 private:
  ApiStatus status_;
  std::shared_ptr<const aws::Access> access_;
  aws::Dispatcher dispatcher_;
  std::unique_ptr<aws::HttpServer> server_;
};

}  // namespace

Result<std::unique_ptr<Api>> Api::start(const std::string& where, bool verify, Parts& parts) {
  auto listener = listen(where);
  if (!listener) return std::unexpected(listener.error());
  const auto address = net::local_address(listener->get());
  if (!address) return std::unexpected(address.error());
  auto api = std::make_unique<RunningApi>(
      ApiStatus{url_of(*address), verify || !is_loopback(*address)}, parts);
  if (auto serving = api->serve(std::move(*listener)); !serving)
    return std::unexpected(serving.error());
  log::info("AWS APIs at {}: {}", api->status().url,
            api->status().verifies ? "signatures are verified"
                                   : "development mode, any well-formed signature is taken");
  return api;
}

}  // namespace weir::daemon
