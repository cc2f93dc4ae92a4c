#include "daemon/admin_server.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <thread>

#include "base/clock.hpp"
#include "http/parser.hpp"
#include "net/socket.hpp"

namespace weir::daemon {
namespace {

constexpr std::int64_t connection_ms_max = 2'000;
constexpr std::size_t request_bytes_max = 8 * 1024;

Result<net::Address> loopback_address(const std::string& where) {
  const auto colon = where.rfind(':');
  const std::string hint = "--admin takes a loopback address and a port, such as 127.0.0.1:9901";
  if (colon == std::string::npos) return fail("AdminAddress", "no port in '" + where + "'", hint);
  std::string ip = where.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  std::uint16_t port = 0;
  const char* end = where.data() + where.size();
  const auto parsed = std::from_chars(where.data() + colon + 1, end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end)
    return fail("AdminAddress", "no port in '" + where + "'", hint);
  if (!ip.starts_with("127.") && ip != "::1")
    return fail("AdminAddress", "'" + ip + "' is not a loopback address", hint);
  return net::Address::parse(ip, port);
}

// Waits for the socket until the deadline.
bool wait_for(int fd, short events, std::int64_t deadline_ms) {
  for (;;) {
    const std::int64_t left = deadline_ms - monotonic_ms();
    if (left <= 0) return false;
    pollfd waiting{fd, events, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

// The request's head, or nothing.
std::optional<std::string> read_head(int fd, std::int64_t deadline_ms) {
  std::string bytes;
  while (bytes.size() < request_bytes_max && wait_for(fd, POLLIN, deadline_ms)) {
    char block[2048];
    const ssize_t got = ::recv(fd, block, sizeof block, MSG_DONTWAIT);
    if (got <= 0) return std::nullopt;
    bytes.append(block, static_cast<std::size_t>(got));
    if (bytes.find("\r\n\r\n") != std::string::npos) return bytes;
  }
  return std::nullopt;
}

void send_all(int fd, std::string_view bytes, std::int64_t deadline_ms) {
  while (!bytes.empty() && wait_for(fd, POLLOUT, deadline_ms)) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string response(std::string_view status, std::string_view type, std::string_view body,
                     bool with_body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), with_body ? body : std::string_view{});
}

class AdminThread final : public AdminServer {
 public:
  AdminThread(Fd listener, Fd stop, std::uint16_t port, AdminPages pages)
      : listener_(std::move(listener)),
        stop_(std::move(stop)),
        port_(port),
        pages_(std::move(pages)),
        thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "weir-admin");
  }
  ~AdminThread() override {
    ::eventfd_write(stop_.get(), 1);
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const override { return port_; }

 private:
  void run() {
    for (;;) {
      pollfd waiting[2] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
      if (::poll(waiting, 2, -1) < 0 && errno != EINTR) return;
      if (waiting[1].revents != 0) return;
      if (waiting[0].revents == 0) continue;
      const Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection) serve(connection.get());
    }
  }

  void serve(int fd) {
    const std::int64_t deadline_ms = monotonic_ms() + connection_ms_max;
    const auto bytes = read_head(fd, deadline_ms);
    if (bytes) send_all(fd, answer(*bytes), deadline_ms);
  }

  [[nodiscard]] std::string answer(const std::string& bytes) const {
    constexpr std::string_view plain = "text/plain; charset=utf-8";
    http::RequestParser parser;
    http::RequestHead head;
    if (parser.parse(bytes, head) != http::ParseState::done)
      return response("400 Bad Request", plain, "bad request\n", true);
    const bool with_body = head.method != http::Method::head;
    if (head.method != http::Method::get && with_body)
      return response("405 Method Not Allowed", plain, "GET only\n", true);
    if (head.path == "/metrics") {
      return response("200 OK", "text/plain; version=0.0.4; charset=utf-8", pages_.metrics(),
                      with_body);
    }
    if (head.path == "/healthz") return response("200 OK", plain, "ok\n", with_body);
    if (head.path == "/ready") {
      return pages_.is_ready()
                 ? response("200 OK", plain, "ready\n", with_body)
                 : response("503 Service Unavailable", plain, "starting\n", with_body);
    }
    return response("404 Not Found", plain, "/metrics, /healthz, /ready\n", with_body);
  }

  Fd listener_;
  Fd stop_;
  std::uint16_t port_;
  AdminPages pages_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::start(const std::string& where,
                                                        AdminPages pages) {
  auto address = loopback_address(where);
  if (!address) return std::unexpected(address.error());
  auto listener = net::tcp_listen(*address, false, 16);
  if (!listener) return std::unexpected(listener.error());
  Fd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) return fail_errno("cannot make an eventfd", errno);
  const std::uint16_t port = net::local_address(listener->get())->port();
  return std::make_unique<AdminThread>(std::move(*listener), std::move(stop), port,
                                       std::move(pages));
}

}  // namespace weir::daemon
