#include "compute/connection.hpp"

#include <poll.h>
#include <sys/socket.h>

#include "compute/wire.hpp"

namespace weir::compute {
namespace {

constexpr int greeting_timeout_ms = 20'000;

std::unexpected<Error> lost() {
  return fail("HolderLost", "the holder process of the instances has ended",
              "see holder.log in the state folder");
}

}  // namespace

Result<std::pair<Fd, Capabilities>> HolderConnection::greet(Fd socket) {
  pollfd polled{socket.get(), POLLIN, 0};
  if (poll(&polled, 1, greeting_timeout_ms) == 0) {
    return fail("HolderFailed", "the holder process does not answer",
                "see holder.log in the state folder");
  }
  const auto packet = receive_packet(socket.get());
  if (!packet) return lost();
  auto response = decode_response(packet->bytes);
  if (!response) return std::unexpected(response.error());
  if (response->error) return std::unexpected(*response->error);
  if (!response->greeting) return fail("HolderFailed", "the holder process does not greet");
  return std::pair{std::move(socket), *response->greeting};
}

HolderConnection::HolderConnection(Fd socket) : socket_(std::move(socket)) {
  prepare_packet_socket(socket_.get());
  reader_ = std::thread([this] { read_loop(); });
  eventer_ = std::thread([this] { event_loop(); });
}

HolderConnection::~HolderConnection() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
    changed_.notify_all();
  }
  shutdown(socket_.get(), SHUT_RDWR);
  reader_.join();
  eventer_.join();
}

Result<HolderConnection::Reply> HolderConnection::call(Request request, std::span<const int> fds) {
  Waiting waiting;
  {
    const std::scoped_lock lock(mutex_);
    if (is_lost_) return lost();
    request.id = ++last_id_;
    waiting_[request.id] = &waiting;
  }
  {
    const std::scoped_lock lock(send_mutex_);
    if (Status status = send_packet(socket_.get(), encode(request), fds); !status) {
      const std::scoped_lock state(mutex_);
      waiting_.erase(request.id);
      return is_lost_ ? lost() : std::unexpected(status.error());
    }
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting.reply.has_value(); });
  return std::move(*waiting.reply);
}

void HolderConnection::on_event(EventHandler handler) {
  const std::scoped_lock lock(mutex_);
  handler_ = std::move(handler);
  changed_.notify_all();
}

void HolderConnection::read_loop() {
  while (true) {
    auto packet = receive_packet(socket_.get());
    if (!packet) break;
    auto response = decode_response(packet->bytes);
    if (!response) break;
    deliver(std::move(*response), std::move(packet->fds));
  }
  lose();
}

void HolderConnection::deliver(Response response, std::vector<Fd> fds) {
  const std::scoped_lock lock(mutex_);
  if (!response.exited.empty()) {
    events_.push_back({response.exited, response.exit_status});
  } else if (const auto found = waiting_.find(response.id); found != waiting_.end()) {
    if (response.error) {
      found->second->reply = std::unexpected(*response.error);
    } else {
      found->second->reply = Reply{std::move(response), std::move(fds)};
    }
    waiting_.erase(found);
  }
  changed_.notify_all();
}

void HolderConnection::lose() {
  shutdown(socket_.get(), SHUT_RDWR);
  const std::scoped_lock lock(mutex_);
  is_lost_ = true;
  for (auto& [id, waiting] : waiting_) waiting->reply = lost();
  waiting_.clear();
  if (!is_ending_) events_.push_back({});
  changed_.notify_all();
}

void HolderConnection::event_loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return is_ending_ || (handler_ && !events_.empty()); });
    if (is_ending_) return;
    const Event event = std::move(events_.front());
    events_.pop_front();
    const EventHandler handler = handler_;
    lock.unlock();
    handler(event.id, event.exit_status);
    lock.lock();
  }
}

}  // namespace weir::compute
