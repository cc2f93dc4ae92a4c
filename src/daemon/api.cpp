#include "daemon/api.hpp"

#include <charconv>
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

class RunningApi final : public Api {
 public:
  RunningApi(std::string url, Parts& parts)
      : url_(std::move(url)),
        dispatcher_(make_services(parts), aws::Access({parts.registry.account()})) {}

  Status serve(Fd listener) {
    auto server = aws::HttpServer::start(
        std::move(listener),
        {[this](const aws::HttpRequest& request) { return dispatcher_.answer(request); },
         [this](const aws::HttpRequest& request) { return dispatcher_.too_large(request); }});
    if (!server) return std::unexpected(server.error());
    server_ = std::move(*server);
    return {};
  }

  [[nodiscard]] const std::string& url() const override { return url_; }

 private:
  std::string url_;
  aws::Dispatcher dispatcher_;
  std::unique_ptr<aws::HttpServer> server_;
};

}  // namespace

Result<std::unique_ptr<Api>> Api::start(const std::string& where, Parts& parts) {
  auto listener = listen(where);
  if (!listener) return std::unexpected(listener.error());
  const auto address = net::local_address(listener->get());
  if (!address) return std::unexpected(address.error());
  auto api = std::make_unique<RunningApi>(url_of(*address), parts);
  if (auto serving = api->serve(std::move(*listener)); !serving)
    return std::unexpected(serving.error());
  log::info("AWS APIs at {}", api->url());
  return api;
}

}  // namespace weir::daemon
