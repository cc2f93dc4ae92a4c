// Both ends of a connection, as a test reads best: a client, targets of several tempers.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "net/socket.hpp"

namespace weir::proxy {

inline void set_timeout_ms(int fd, int ms) {
  const timeval limit{ms / 1000, ms % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}
inline void set_timeout(int fd, int seconds) { set_timeout_ms(fd, seconds * 1000); }

// A blocking connection, as a test reads best.
class Connection {
 public:
  explicit Connection(Fd fd) : fd_(std::move(fd)) { set_timeout(fd_.get(), 10); }

  // `receive_bytes`: the kernel's buffer, set before the window is told; 0 leaves it.
  static Connection to(std::uint16_t port, int receive_bytes = 0,
                       const std::string& ip = "127.0.0.1") {
    const auto address = *net::Address::parse(ip, port);
    Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_bytes > 0)
      setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    EXPECT_EQ(
        ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length),
        0);
    return Connection(std::move(fd));
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // What comes next, at most 64 KiB; empty at the end, on error and after ten seconds.
  std::string read_some() {
    std::string out(65536, '\0');
    ssize_t got = -1;
    do {
      got = ::recv(fd_.get(), out.data(), out.size(), 0);
    } while (got < 0 && errno == EINTR);
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }
  std::string read_until(const std::function<bool(const std::string&)>& enough) {
    while (!enough(held_)) {
      const std::string more = read_some();
      if (more.empty()) break;
      held_ += more;
    }
    return std::exchange(held_, {});
  }
  std::string read_to_end() {
    return read_until([](const std::string&) { return false; });
  }
  std::string read_head() {
    std::string all =
        read_until([](const std::string& s) { return s.find("\r\n\r\n") != std::string::npos; });
    const auto end = all.find("\r\n\r\n");
    if (end == std::string::npos) return all;
    held_ = all.substr(end + 4);
    return all.substr(0, end + 4);
  }
  std::string read_exactly(std::size_t bytes) {
    std::string all = read_until([&](const std::string& s) { return s.size() >= bytes; });
    if (all.size() > bytes) held_ = all.substr(bytes);
    return all.substr(0, bytes);
  }
  // Head and body of a response with Content-Length.
  std::string read_response() {
    std::string head = read_head();
    const auto at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    return head + read_exactly(std::stoul(head.substr(at + 16)));
  }
  void shutdown_send() { ::shutdown(fd_.get(), SHUT_WR); }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
  std::string held_;
};

// A target: each accepted connection is handled by a function on a thread of its own.
class TestTarget {
 public:
  using Handler = std::function<void(Connection&)>;
  explicit TestTarget(Handler handler) : handler_(std::move(handler)) {
    listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto address = *net::Address::parse("127.0.0.1", 0);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address.storage),
                     address.length),
              0);
    EXPECT_EQ(::listen(listener_.get(), 128), 0);
    port_ = net::local_address(listener_.get())->port();
    thread_ = std::thread([this] { accept_all(); });
  }
  ~TestTarget() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    mutex_.unlock();
    for (auto& thread : threads_) thread.join();
    mutex_.lock();
  }
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  // Connections whose handler has not returned; the handler's writes are seen once it has.
  std::size_t open() {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] {
        Connection connection{Fd(fd)};
        handler_(connection);
        const std::lock_guard closing(mutex_);
        std::erase(open_, fd);
      });
    }
  }

  Handler handler_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread thread_;
};

// Answers every request without a body with `response`.
inline TestTarget::Handler always(std::string response) {
  return [response = std::move(response)](Connection& connection) {
    while (!connection.read_head().empty() && connection.send(response)) {
    }
  };
}

inline const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Answers wait until it is opened.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void arrive() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
  }
  void wait_for(int arrived) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return arrived_ >= arrived; });
    EXPECT_GE(arrived_, arrived);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
  int arrived_ = 0;
};

// An address that takes no connection and refuses none, as a machine that is gone: a listener whose
// queue is full, so that the kernel drops what further connections begin with.
class SilentAddress {
 public:
  SilentAddress() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = *net::Address::parse("127.0.0.1", 0);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address.storage),
                     address.length),
              0);
    EXPECT_EQ(::listen(listener_.get(), 0), 0);
    port_ = net::local_address(listener_.get())->port();
    first_.emplace(Connection::to(port_));
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  // Makes room and takes the next connection: when its first packet is sent again.
  [[nodiscard]] Connection accept() {
    const Fd first(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    return Connection(Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }

 private:
  Fd listener_;
  std::uint16_t port_ = 0;
  std::optional<Connection> first_;
};

}  // namespace weir::proxy
