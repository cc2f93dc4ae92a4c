#include "daemon/control_socket.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "daemon/channel.hpp"

namespace weir::daemon {
namespace {

constexpr int connections_max = 64;
constexpr timeval receive_timeout{30, 0};  // a client that connects and says nothing
constexpr std::string_view busy_reply =
    R"({"error":{"code":"Busy","message":"the daemon serves as many commands as it can","hint":"try again in a moment"}})";

bool peer_is_trusted(int socket) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

class Connection final : public Session {
 public:
  Connection(Fd socket, const std::atomic<bool>& is_stopping)
      : channel_(std::move(socket)), is_stopping_(is_stopping) {}

  void run(const ControlSocket::Handler& handler) {
    ::setsockopt(channel_.fd(), SOL_SOCKET, SO_RCVTIMEO, &receive_timeout, sizeof(receive_timeout));
    auto request = channel_.receive(request_bytes_max);
    if (!request || !*request) return;
    fds_ = std::move((*request)->fds);
    const auto reply = handler((*request)->line, *this);
    fds_.clear();
    std::ignore = channel_.send(reply);
  }

  bool send_event(std::string_view json) override { return channel_.send(json).has_value(); }

  // A client sends nothing after its request: readable means that it has hung up.
  bool client_gone() const override {
    pollfd poll_fd{channel_.fd(), POLLRDHUP, 0};
    return ::poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }
  bool stopping() const override { return is_stopping_.load(); }
  std::vector<Fd>& fds() override { return fds_; }

 private:
  Channel channel_;
  const std::atomic<bool>& is_stopping_;
  std::vector<Fd> fds_;
};

class ControlSocketServer final : public ControlSocket {
 public:
  ControlSocketServer(Fd listener, Fd wake, Handler handler)
      : listener_(std::move(listener)), wake_(std::move(wake)), handler_(std::move(handler)) {
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~ControlSocketServer() override {
    is_stopping_ = true;
    ::eventfd_write(wake_.get(), 1);
    acceptor_.join();
    std::unique_lock lock(mutex_);
    none_left_.wait(lock, [this] { return connections_ == 0; });
  }

 private:
  void accept_all() {
    while (!is_stopping_) {
      std::array<pollfd, 2> waiting{pollfd{listener_.get(), POLLIN, 0},
                                    pollfd{wake_.get(), POLLIN, 0}};
      if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return;
      if ((waiting[0].revents & POLLIN) == 0) continue;
      Fd socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (socket) admit(std::move(socket));
    }
  }

  void admit(Fd socket) {
    if (!peer_is_trusted(socket.get())) {
      log::warn("control socket: a connection from another user was refused");
      return;
    }
    {
      std::lock_guard lock(mutex_);
      if (connections_ >= connections_max) {
        std::ignore = Channel{std::move(socket)}.send(busy_reply);
        return;
      }
      ++connections_;
    }
    std::thread([this, owned = std::move(socket)]() mutable { serve(std::move(owned)); }).detach();
  }

  // The notification is made under the lock: the destructor must not end before this thread has
  // left the object.
  void serve(Fd socket) {
    Connection(std::move(socket), is_stopping_).run(handler_);
    std::lock_guard lock(mutex_);
    if (--connections_ == 0) none_left_.notify_all();
  }

  Fd listener_;
  Fd wake_;
  Handler handler_;
  std::atomic<bool> is_stopping_{false};
  std::mutex mutex_;
  std::condition_variable none_left_;
  int connections_ = 0;
  std::thread acceptor_;
};

}  // namespace

Result<std::unique_ptr<ControlSocket>> ControlSocket::start(Fd listener, Handler handler) {
  Fd wake{::eventfd(0, EFD_CLOEXEC)};
  if (!wake) return fail_errno("cannot make an eventfd", errno);
  return std::make_unique<ControlSocketServer>(std::move(listener), std::move(wake),
                                               std::move(handler));
}

}  // namespace weir::daemon
