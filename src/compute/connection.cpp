#include "compute/connection.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <chrono>

#include "base/clock.hpp"
#include "compute/wire.hpp"

namespace weir::compute {
namespace {

constexpr int greeting_timeout_ms = 20'000;
// A new holder is at work within a tenth of a second, unless the machine is very busy.
constexpr std::int64_t successor_patience_ms = 5'000;

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

Result<HolderConnection::Reply> HolderConnection::call_on(int socket, Request request) {
  request.id = 1;
  if (Status status = send_packet(socket, encode(request)); !status) {
    return std::unexpected(status.error());
  }
  auto packet = receive_packet(socket);
  if (!packet) return lost();
  auto response = decode_response(packet->bytes);
  if (!response) return std::unexpected(response.error());
  if (response->error) return std::unexpected(*response->error);
  return Reply{std::move(*response), std::move(packet->fds)};
}

HolderConnection::HolderConnection(Fd socket, Reconnect reconnect)
    : reconnect_(std::move(reconnect)), socket_(std::move(socket)) {
  prepare_packet_socket(socket_.get());
  reader_ = std::thread([this] { read_loop(); });
  eventer_ = std::thread([this] { event_loop(); });
}

HolderConnection::~HolderConnection() {
  {
    const std::scoped_lock lock(send_mutex_, mutex_);
    is_ending_ = true;
    shutdown(socket_.get(), SHUT_RDWR);
    changed_.notify_all();
  }
  reader_.join();
  eventer_.join();
}

Result<HolderConnection::Reply> HolderConnection::call(Request request, std::span<const int> fds) {
  Waiting waiting;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return link_ != Link::searching || is_ending_; });
    if (link_ != Link::up) return lost();
    request.id = ++last_id_;
    waiting_[request.id] = &waiting;
  }
  Status sent;
  {
    const std::scoped_lock lock(send_mutex_);
    sent = send_packet(socket_.get(), encode(request), fds);
  }
  std::unique_lock lock(mutex_);
  if (!sent && waiting_.erase(request.id) > 0) {
    return fail("HolderFailed", "a request did not reach the holder: " + sent.error().message);
  }
  changed_.wait(lock, [&] { return waiting.reply.has_value(); });
  return std::move(*waiting.reply);
}

void HolderConnection::on_event(EventHandler handler) {
  const std::scoped_lock lock(mutex_);
  handler_ = std::move(handler);
  changed_.notify_all();
}

void HolderConnection::expect_end() {
  const std::scoped_lock lock(mutex_);
  is_end_expected_ = true;
}

bool HolderConnection::is_end_expected() {
  const std::scoped_lock lock(mutex_);
  return is_ending_ || is_end_expected_;
}

void HolderConnection::read_loop() {
  while (true) {
    auto packet = receive_packet(socket_.get());
    auto response = packet ? decode_response(packet->bytes) : std::unexpected(packet.error());
    if (response) {
      deliver(std::move(*response), std::move(packet->fds));
    } else if (!replace_holder()) {
      return;
    }
  }
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

bool HolderConnection::replace_holder() {
  shutdown(socket_.get(), SHUT_RDWR);
  {
    const std::scoped_lock lock(mutex_);
    link_ = Link::searching;
    for (auto& [id, waiting] : waiting_) waiting->reply = lost();
    waiting_.clear();
    changed_.notify_all();
  }
  Fd successor;
  const std::int64_t deadline = monotonic_ms() + successor_patience_ms;
  while (!successor && !is_end_expected() && monotonic_ms() < deadline) {
    successor = reconnect_();
    // The new holder tells nobody when it listens.
    if (!successor) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const bool found = successor.valid();
  const std::scoped_lock lock(send_mutex_, mutex_);
  if (found) socket_ = std::move(successor);
  // Again: the destructor may have shut down the old socket only.
  const bool goes_on = found && !is_ending_;
  link_ = goes_on ? Link::up : Link::lost;
  if (!is_ending_ && !is_end_expected_) events_.push_back({});
  changed_.notify_all();
  return goes_on;
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
