// `weir hold`: the loop that hears daemons and hands their requests to threads.
//
// The loop itself does nothing that blocks. A connection is answered from the thread that did the
// work; events go to all connections. The holder ends when it is released, and never because a
// daemon went away.
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "compute/endpoint.hpp"
#include "compute/holder.hpp"
#include "compute/wire.hpp"

namespace weir::compute {
namespace {

constexpr std::size_t connections_max = 8;
constexpr int requests_open_max = 512;
constexpr std::size_t restarts_max = 5;  // within a minute
constexpr std::int64_t restart_window_ms = 60'000;
constexpr timeval send_patience{10, 0};  // then the daemon counts as lost

class Connection {
 public:
  explicit Connection(Fd socket) : socket_(std::move(socket)) {
    prepare_packet_socket(socket_.get());
    setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &send_patience, sizeof send_patience);
  }

  // Any thread. A peer that cannot be told anything is cut off.
  void send(const Response& response, const std::vector<Fd>& fds = {}) {
    std::vector<int> numbers;
    for (const Fd& fd : fds) numbers.push_back(fd.get());
    const std::scoped_lock lock(mutex_);
    if (Status status = send_packet(socket_.get(), encode(response), numbers); !status) {
      shutdown(socket_.get(), SHUT_RDWR);
    }
  }
  [[nodiscard]] Result<Packet> receive() const { return receive_packet(socket_.get()); }
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  Fd socket_;
  std::mutex mutex_;
};

class Server {
 public:
  // Fails only where the holder cannot be set up; the daemon is then told why.
  int run(const Options& options, Fd control);

 private:
  Status set_up(const Options& options);
  void serve();
  void add(Fd socket);
  void accept_daemon();
  bool receive(const std::shared_ptr<Connection>& connection);
  void handle(const std::shared_ptr<Connection>& connection, Packet packet);
  void tell_all(const Response& event);
  void wake() const;
  void drain_wake() const;

  Holder holder_;
  Fd listener_;
  Fd wake_;
  std::mutex mutex_;  // guards connections_: events come from other threads
  std::list<std::shared_ptr<Connection>> connections_;
  std::atomic<int> requests_open_ = 0;
  std::atomic<bool> is_released_ = false;  // nothing is left of the holder but this process
};

Status Server::set_up(const Options& options) {
  wake_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return fail_errno("cannot make an eventfd", errno);
  const auto ended = [this](const std::string& id, int exit_status) {
    log::info("{} ended by itself, exit status {}", id, exit_status);
    Response event;
    event.exited = id;
    event.exit_status = exit_status;
    tell_all(event);
  };
  if (Status status = holder_.set_up(options, ended); !status) return status;
  auto listener = listen_in(holder_.layout().state_dir);
  if (!listener) return std::unexpected(listener.error());
  listener_ = std::move(*listener);
  return {};
}

int Server::run(const Options& options, Fd control) {
  if (Status status = set_up(options); !status) {
    log::error("{}", status.error().message);
    Response response;
    response.error = status.error();
    if (control) Connection(std::move(control)).send(response);
    return 1;
  }
  log::info("holder {} at work, {}", getpid(), holder_.capabilities().runtime_version);
  if (control) add(std::move(control));
  serve();
  log::info("holder {} released", getpid());
  return 0;
}

void Server::add(Fd socket) {
  auto connection = std::make_shared<Connection>(std::move(socket));
  Response greeting;
  greeting.greeting = holder_.capabilities();
  connection->send(greeting);
  const std::scoped_lock lock(mutex_);
  connections_.push_back(std::move(connection));
}

void Server::accept_daemon() {
  Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return;
  const auto uid = peer_uid(socket.get());
  if (!uid || *uid != geteuid()) {
    log::warn("refused a connection of another user");
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    if (connections_.size() >= connections_max) return;
  }
  add(std::move(socket));
}

void Server::serve() {
  while (!is_released_) {
    std::vector<pollfd> polled = {{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    std::vector<std::shared_ptr<Connection>> connections;
    {
      const std::scoped_lock lock(mutex_);
      connections.assign(connections_.begin(), connections_.end());
    }
    for (const auto& connection : connections) polled.push_back({connection->fd(), POLLIN, 0});
    for (const int pidfd : holder_.instances().adopted_pidfds()) {
      polled.push_back({pidfd, POLLIN, 0});
    }
    if (poll(polled.data(), polled.size(), -1) < 0) continue;  // EINTR

    drain_wake();
    if (polled[0].revents != 0) accept_daemon();
    for (std::size_t i = 0; i < connections.size(); ++i) {
      if (polled[i + 2].revents != 0 && !receive(connections[i])) {
        const std::scoped_lock lock(mutex_);
        connections_.remove(connections[i]);
      }
    }
    holder_.instances().check_adopted();
  }
}

// Returns false at the end of the connection.
bool Server::receive(const std::shared_ptr<Connection>& connection) {
  auto packet = connection->receive();
  if (!packet) return false;
  if (requests_open_.fetch_add(1) >= requests_open_max) {
    requests_open_.fetch_sub(1);
    Response busy;
    if (const auto request = decode_request(packet->bytes)) busy.id = request->id;
    busy.error = Error{"RequestLimitExceeded", "too many requests to the holder at once", ""};
    connection->send(busy);
    return true;
  }
  holder_.executor().submit(
      [this, connection, shared = std::make_shared<Packet>(std::move(*packet))] {
        handle(connection, std::move(*shared));
        requests_open_.fetch_sub(1);
      });
  return true;
}

void Server::handle(const std::shared_ptr<Connection>& connection, Packet packet) {
  const auto request = decode_request(packet.bytes);
  if (!request) {
    log::warn("{}", request.error().message);
    shutdown(connection->fd(), SHUT_RDWR);
    return;
  }
  const Holder::Answer answer = holder_.execute(*request, std::move(packet.fds));
  connection->send(answer.response, answer.fds);
  // Only now: the process ends with the loop.
  if (request->operation == Operation::release && answer.response.flag) {
    is_released_ = true;
    wake();
  }
}

void Server::tell_all(const Response& event) {
  std::vector<std::shared_ptr<Connection>> connections;
  {
    const std::scoped_lock lock(mutex_);
    connections.assign(connections_.begin(), connections_.end());
  }
  for (const auto& connection : connections) connection->send(event);
}

void Server::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

void Server::drain_wake() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_.get(), &count, sizeof count);
}

// Runs the holder proper in a child; returns its exit status, or nothing if it was killed.
std::optional<int> run_once(const Options& options, int control_fd) {
  const pid_t pid = fork();
  if (pid < 0) return 1;
  if (pid == 0) {
    // Not destroyed: threads may still be at work in it when the process ends.
    auto* server = new Server;
    _exit(server->run(options, Fd(control_fd)));
  }
  if (control_fd >= 0) close(control_fd);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  // SIGTERM is somebody's will; every other signal is an accident (a fault, the OOM killer).
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM) return std::nullopt;
  return exit_status_of(status);
}

}  // namespace

// The daemon has given up its privileges by the time a holder is lost and could not start another.
// So this process stays behind the holder, does nothing else, and replaces it.
int holder_main(const Options& options, int control_fd) {
  log::start(log::Level::info);
  signal(SIGHUP, SIG_IGN);
  std::deque<std::int64_t> losses_ms;
  while (true) {
    if (const auto exit_status = run_once(options, std::exchange(control_fd, -1))) {
      return *exit_status;
    }
    losses_ms.push_back(monotonic_ms());
    if (losses_ms.size() > restarts_max) {
      if (losses_ms.back() - losses_ms.front() < restart_window_ms) {
        log::error("the holder was killed {} times within a minute: given up", losses_ms.size());
        return 1;
      }
      losses_ms.pop_front();
    }
    log::error("the holder was killed; another one takes its place");
  }
}

}  // namespace weir::compute
