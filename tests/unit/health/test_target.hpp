// A target on loopback that behaves as a test wants: a thread, a kernel-given port, and what to do
// with each connection.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.hpp"

namespace weir::health::test {

class TestTarget {
 public:
  // What it does once a connection's request head has been read. Returning true keeps the
  // connection open until the target ends.
  using Behaviour = std::function<bool(int fd)>;

  explicit TestTarget(Behaviour behaviour, std::uint16_t port = 0)
      : behaviour_(std::move(behaviour)),
        listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        stop_(eventfd(0, EFD_CLOEXEC)) {
    const int on = 1;
    setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_.get(), generic, length) != 0 || listen(listener_.get(), 4096) != 0 ||
        getsockname(listener_.get(), generic, &length) != 0)
      throw std::runtime_error("the test cannot listen on loopback");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~TestTarget() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(stop_.get(), &one, sizeof one);
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }
  // The address that the latest connection came from, in host order.
  [[nodiscard]] std::uint32_t last_peer() const { return last_peer_; }
  [[nodiscard]] std::string last_request() const {
    const std::lock_guard lock(mutex_);
    return last_request_;
  }

 private:
  // One connection after the other: a test's behaviours answer at once or not at all.
  void run() {
    std::vector<Fd> kept;
    while (wait_for(listener_.get())) {
      sockaddr_in peer{};
      socklen_t length = sizeof peer;
      Fd connection(
          accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC));
      if (!connection) continue;
      last_peer_ = ntohl(peer.sin_addr.s_addr);
      ++connections_;
      const int on = 1;
      setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (!read_request(connection.get())) continue;
      if (behaviour_(connection.get())) kept.push_back(std::move(connection));
    }
  }
  // False: the target is to end.
  bool wait_for(int fd) const {
    pollfd waits[] = {{fd, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    poll(waits, 2, -1);
    return waits[1].revents == 0;
  }
  bool read_request(int fd) {
    std::string bytes;
    while (bytes.find("\r\n\r\n") == std::string::npos) {
      char buffer[4096];
      if (!wait_for(fd)) return false;
      const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      bytes.append(buffer, static_cast<std::size_t>(got));
    }
    const std::lock_guard lock(mutex_);
    last_request_ = bytes;
    return true;
  }

  Behaviour behaviour_;
  Fd listener_;
  Fd stop_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<std::uint32_t> last_peer_ = 0;
  mutable std::mutex mutex_;
  std::string last_request_;
  std::thread thread_;
};

inline void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

inline TestTarget::Behaviour answer(std::string bytes) {
  return [bytes = std::move(bytes)](int fd) {
    send_all(fd, bytes);
    return false;
  };
}
inline TestTarget::Behaviour answer_code(int code) {
  return answer("HTTP/1.1 " + std::to_string(code) +
                " X\r\nContent-Length: 8\r\nConnection: close\r\n\r\nHealthy!");
}
inline TestTarget::Behaviour silence() {
  return [](int) { return true; };
}

}  // namespace weir::health::test
