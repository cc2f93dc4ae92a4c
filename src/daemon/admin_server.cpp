#include "daemon/admin_server.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <deque>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "daemon/admin_token.hpp"
#include "http/parser.hpp"
#include "net/socket.hpp"

namespace weir::daemon {
namespace {

constexpr std::int64_t connection_ms_max = 2'000;
constexpr std::size_t request_bytes_max = 8 * 1024;
constexpr std::size_t connections_max = 32;  // the oldest gives way to the next one

struct Where {
  net::Address address;
  bool is_loopback = false;
};

Result<Where> parse_where(const std::string& where) {
  const auto colon = where.rfind(':');
  const std::string hint = "--admin takes an address and a port, such as 127.0.0.1:9901";
  if (colon == std::string::npos) return fail("AdminAddress", "no port in '" + where + "'", hint);
  std::string ip = where.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  std::uint16_t port = 0;
  const char* end = where.data() + where.size();
  const auto parsed = std::from_chars(where.data() + colon + 1, end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end)
    return fail("AdminAddress", "no port in '" + where + "'", hint);
  const auto address = net::Address::parse(ip, port);
  if (!address) return fail("AdminAddress", "'" + ip + "' is not a numeric address", hint);
  return Where{*address, ip.starts_with("127.") || ip == "::1"};
}

// One request and its answer. Neither is ever waited for: poll tells when there is something to do.
struct Connection {
  Fd fd;
  std::int64_t deadline_ms = 0;
  std::string request;
  std::string answer;  // not empty: the request is complete
  std::size_t sent = 0;
  bool is_over = false;
};

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

// Whether the request's head is complete.
bool receive(Connection& connection) {
  char block[2048];
  const ssize_t got = ::recv(connection.fd.get(), block, sizeof block, MSG_DONTWAIT);
  if (got < 0 && would_block()) return false;
  if (got > 0) connection.request.append(block, static_cast<std::size_t>(got));
  const bool is_whole = connection.request.find("\r\n\r\n") != std::string::npos;
  connection.is_over = got <= 0 || (!is_whole && connection.request.size() >= request_bytes_max);
  return is_whole;
}

void send(Connection& connection) {
  const std::string_view left = std::string_view(connection.answer).substr(connection.sent);
  const ssize_t sent =
      ::send(connection.fd.get(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && would_block()) return;
  if (sent > 0) connection.sent += static_cast<std::size_t>(sent);
  connection.is_over = sent < 0 || connection.sent == connection.answer.size();
}

std::string response(std::string_view status, std::string_view type, std::string_view body,
                     bool with_body, std::string_view more_fields = {}) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Connection: close\r\n\r\n{}",
      status, type, body.size(), more_fields, with_body ? body : std::string_view{});
}

std::string_view authorization_of(const http::RequestHead& head) {
  constexpr std::string_view name = "authorization";
  for (const http::Header& header : head.headers) {
    const auto same = [](char got, char lower) {
      return (got >= 'A' && got <= 'Z' ? static_cast<char>(got | 0x20) : got) == lower;
    };
    if (std::ranges::equal(header.name, name, same)) return header.value;
  }
  return {};
}

class AdminThread final : public AdminServer {
 public:
  AdminThread(Fd listener, Fd stop, std::uint16_t port, AdminPages pages, std::string token)
      : listener_(std::move(listener)),
        stop_(std::move(stop)),
        port_(port),
        pages_(std::move(pages)),
        token_(std::move(token)),
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
    std::vector<pollfd> waiting;
    for (;;) {
      waiting.assign({{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}});
      for (const Connection& connection : connections_) {
        const short wanted = connection.answer.empty() ? POLLIN : POLLOUT;
        waiting.push_back({connection.fd.get(), wanted, 0});
      }
      if (::poll(waiting.data(), waiting.size(), wait_ms()) < 0 && errno != EINTR) return;
      if (waiting[0].revents != 0) return;
      for (std::size_t i = 0; i < connections_.size(); ++i) {
        if (waiting[i + 2].revents != 0) serve(connections_[i]);
      }
      const std::int64_t now_ms = monotonic_ms();
      std::erase_if(connections_, [now_ms](const Connection& connection) {
        return connection.is_over || connection.deadline_ms <= now_ms;
      });
      if (waiting[1].revents != 0) accept(now_ms);
    }
  }

  // The oldest is first, and so is its deadline.
  [[nodiscard]] int wait_ms() const {
    if (connections_.empty()) return -1;
    return static_cast<int>(
        std::max<std::int64_t>(connections_.front().deadline_ms - monotonic_ms(), 0));
  }

  void accept(std::int64_t now_ms) {
    Connection connection;
    connection.fd = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.fd) return;
    connection.deadline_ms = now_ms + connection_ms_max;
    if (connections_.size() >= connections_max) connections_.pop_front();
    connections_.push_back(std::move(connection));
  }

  void serve(Connection& connection) const {
    if (connection.answer.empty()) {
      if (!receive(connection)) return;
      connection.answer = answer(connection.request);
    }
    send(connection);
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
    if (head.path == "/healthz") return response("200 OK", plain, "ok\n", with_body);
    if (!token_.empty() && !is_authorized(authorization_of(head), token_)) {
      return response("401 Unauthorized", plain, "a bearer token is needed\n", with_body,
                      "WWW-Authenticate: Bearer\r\n");
    }
    if (head.path == "/metrics") {
      return response("200 OK", "text/plain; version=0.0.4; charset=utf-8", pages_.metrics(),
                      with_body);
    }
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
  std::string token_;
  std::deque<Connection> connections_;  // the thread's own
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::start(const std::string& where, AdminPages pages,
                                                        std::string token) {
  auto parsed = parse_where(where);
  if (!parsed) return std::unexpected(parsed.error());
  if (!parsed->is_loopback && token.empty()) {
    return fail("AdminAddress",
                "'" + where + "' is not a loopback address, and no token protects the endpoint",
                "--admin-token-file FILE asks a bearer token of every reader");
  }
  auto listener = net::tcp_listen(parsed->address, false, 16);
  if (!listener) return std::unexpected(listener.error());
  Fd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) return fail_errno("cannot make an eventfd", errno);
  const std::uint16_t port = net::local_address(listener->get())->port();
  return std::make_unique<AdminThread>(std::move(*listener), std::move(stop), port,
                                       std::move(pages), std::move(token));
}

}  // namespace weir::daemon
