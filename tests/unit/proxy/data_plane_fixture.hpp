// What tests of the data plane share: a client's connection, a target, and a data plane with one
// load balancer, listener and target group, on ports of the kernel's choice. A test file derives
// its suite from DataPlaneTest and instantiates it with backends() and backend_name.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "net/socket.hpp"
#include "proxy/data_plane.hpp"

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
  static Connection to(std::uint16_t port, int receive_bytes = 0) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_bytes > 0)
      setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    const auto address = *net::Address::parse("127.0.0.1", port);
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

class DataPlaneTest : public testing::TestWithParam<net::Backend> {
 protected:
  void SetUp() override {
    DataPlaneOptions options;
    options.workers = 1;
    options.backend = GetParam();
    options.bind_addresses = {"127.0.0.1"};
    options.ledger = ledger_;
    configure(options);
    options.logs = logs_;
    data_plane_ = std::move(*DataPlane::start(std::move(options)));
    port_ = *data_plane_->open_port(0);
    model::LoadBalancer lb;
    lb.arn = "lb";
    lb.name = "web";
    lb.dns_name = "web-1.us-east-1.elb.localhost";
    lb.nodes = {{"us-east-1a", "subnet-a", "10.0.0.4"}};
    load_balancers_["lb"] = lb;
    model::Listener listener;
    listener.arn = "listener";
    listener.load_balancer_arn = "lb";
    listener.port = 80;
    listener.bound_port = port_;
    listeners_["listener"] = listener;
    model::TargetGroup group;
    group.arn = "group";
    group.target_type = "ip";
    groups_["group"] = group;
    set_default_action({1, model::ForwardAction{{{"group", 1}}, false, 0}});
  }

  void set_default_action(model::Action action) {
    listeners_["listener"].default_actions = {std::move(action)};
  }
  void set_attribute(const std::string& key, const std::string& value) {
    load_balancers_["lb"].attributes[key] = value;
  }
  void add_target(std::uint16_t port) {
    model::Target target{"group", "127.0.0.1", port, "all", 0, 0};
    targets_[{"group", "127.0.0.1", port}] = target;
  }
  void apply() {
    snapshot_ = routing::compile(
        {load_balancers_, listeners_, rules_, groups_, targets_, instances_, "10.0.0.0/16",
         &stickiness_keys_},
        snapshot_.get(), ++revision_);
    data_plane_->apply(snapshot_);
  }
  void serve(const TestTarget& target) {
    add_target(target.port());
    apply();
  }
  Connection connect(int receive_bytes = 0) { return Connection::to(port_, receive_bytes); }
  virtual void configure(DataPlaneOptions&) {}
  std::string ask(std::string_view request) {
    auto client = connect();
    client.send(request);
    client.shutdown_send();
    return client.read_to_end();
  }

  [[nodiscard]] telemetry::Ledger& ledger() { return *ledger_; }

  std::shared_ptr<telemetry::Ledger> ledger_ = std::make_shared<telemetry::Ledger>();
  std::shared_ptr<telemetry::Logs> logs_;  // a suite's own, before SetUp()
  std::unique_ptr<DataPlane> data_plane_;
  std::uint16_t port_ = 0;
  std::uint64_t revision_ = 0;
  routing::SnapshotPtr snapshot_;
  std::map<std::string, model::LoadBalancer> load_balancers_;
  std::map<std::string, model::Listener> listeners_;
  std::map<std::string, model::Rule> rules_;
  std::map<std::string, model::TargetGroup> groups_;
  std::map<std::tuple<std::string, std::string, std::uint16_t>, model::Target> targets_;
  std::map<std::string, model::Instance> instances_;
  std::map<std::string, model::StickinessKey> stickiness_keys_;
};

inline std::vector<net::Backend> backends() {
#ifdef WEIR_HAVE_URING
  return {net::Backend::epoll, net::Backend::io_uring};
#else
  return {net::Backend::epoll};
#endif
}

inline std::string backend_name(const testing::TestParamInfo<net::Backend>& test) {
  return test.param == net::Backend::epoll ? "epoll" : "io_uring";
}

}  // namespace weir::proxy
