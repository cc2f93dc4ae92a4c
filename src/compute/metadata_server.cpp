// The metadata service's sockets: one thread, one event loop, one listener an instance.
//
// Everything of Impl is touched by that thread only; add, update and remove are tasks posted to it.
// A connection that has ended is freed by a later task, never inside one of its own events.
#include <fcntl.h>

#include <list>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "compute/metadata.hpp"
#include "compute/metadata_service.hpp"
#include "http/parser.hpp"
#include "net/loop.hpp"

namespace weir::compute {
namespace {

constexpr std::size_t connections_per_instance_max = 64;
constexpr std::size_t request_bytes_max = 16 * 1024;
constexpr std::size_t queued_bytes_max = 256 * 1024;  // answers that a client does not read
constexpr std::int64_t idle_timeout_ms = 10'000;
constexpr std::uint32_t buffer_bytes = 4096;

class InstanceService;

class Connection final : public net::StreamEvents {
 public:
  Connection(InstanceService& instance, net::Loop& loop, Fd socket);
  ~Connection() {
    if (stream_ != nullptr) stream_->close();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void on_received(net::Buffer data) override;
  void on_end() override { end(net::Close::flush); }
  void on_drained() override { answer_what_came(); }
  void on_error(int) override { end(net::Close::now); }

 private:
  void answer_what_came();
  // Answers the request at the front of `received_`; false: there is none, or the connection ends.
  bool answer_one();
  void send(const MetadataResponse& response);
  void end(net::Close how);

  InstanceService& instance_;
  net::Loop& loop_;
  net::Stream* stream_;  // nullptr: ended
  net::Timer idle_;
  std::string received_;
  http::RequestParser parser_;
  http::RequestHead head_;
};

class InstanceService final : public net::AcceptEvents {
 public:
  InstanceService(net::Loop& loop, Fd listener, MetadataDocument told)
      : document(std::move(told)), loop_(loop) {
    listener_ = loop.listen(std::move(listener), this);
  }
  ~InstanceService() { listener_->close(); }
  InstanceService(const InstanceService&) = delete;
  InstanceService& operator=(const InstanceService&) = delete;

  void on_accepted(Fd socket) override {
    if (connections_.size() >= connections_per_instance_max) return;
    connections_.push_back(std::make_unique<Connection>(*this, loop_, std::move(socket)));
  }
  void on_accept_error(int) override {}
  void forget(const Connection* connection) {
    std::erase_if(connections_, [&](const auto& held) { return held.get() == connection; });
  }

  MetadataDocument document;
  MetadataTokens tokens;
  MetadataThrottle throttle;
  // Tells a task that was posted whether its instance is still this one.
  const std::shared_ptr<bool> is_alive = std::make_shared<bool>(true);

 private:
  net::Loop& loop_;
  net::Listener* listener_;
  std::list<std::unique_ptr<Connection>> connections_;
};

Connection::Connection(InstanceService& instance, net::Loop& loop, Fd socket)
    : instance_(instance),
      loop_(loop),
      stream_(loop.adopt(std::move(socket), this)),
      idle_([](void* self) { static_cast<Connection*>(self)->end(net::Close::now); }, this) {
  stream_->set_receiving(true);
  loop_.schedule(idle_, idle_timeout_ms);
}

void Connection::on_received(net::Buffer data) {
  if (stream_ == nullptr) return;
  received_ += data.view();
  answer_what_came();
}

void Connection::answer_what_came() {
  while (stream_ != nullptr && stream_->queued_bytes() < queued_bytes_max && answer_one()) {
  }
  if (stream_ == nullptr) return;
  // on_drained goes on with what is left here.
  stream_->set_receiving(stream_->queued_bytes() < queued_bytes_max);
}

bool Connection::answer_one() {
  if (received_.empty()) return false;
  const auto state = parser_.parse(received_, head_);
  if (state == http::ParseState::need_more) {
    if (received_.size() > request_bytes_max) send(refusal(431));
    return false;
  }
  loop_.schedule(idle_, idle_timeout_ms);
  if (state == http::ParseState::refused) {
    send(refusal(parser_.status()));
    return false;
  }
  const std::int64_t now_ms = loop_.now_ms();
  if (!instance_.throttle.allows(now_ms)) {
    send(refusal(503));
    return false;
  }
  send(respond(instance_.document, instance_.tokens, head_, now_ms));
  received_.erase(0, head_.head_bytes);
  parser_.restart();
  return stream_ != nullptr;
}

void Connection::send(const MetadataResponse& response) {
  stream_->send_copy(to_bytes(response, wall_ms() / 1000));
  if (response.close) end(net::Close::linger);
}

void Connection::end(net::Close how) {
  if (stream_ == nullptr) return;
  std::exchange(stream_, nullptr)->close(how);
  loop_.cancel(idle_);
  loop_.post([this, instance = &instance_, is_alive = instance_.is_alive] {
    if (*is_alive) instance->forget(this);
  });
}

}  // namespace

struct MetadataServer::Impl {
  std::unique_ptr<net::Loop> loop;
  std::thread thread;
  std::map<std::string, std::unique_ptr<InstanceService>> instances;

  void drop(const std::string& id) {
    const auto found = instances.find(id);
    if (found == instances.end()) return;
    *found->second->is_alive = false;
    instances.erase(found);
  }
};

MetadataServer::MetadataServer() : impl_(std::make_unique<Impl>()) {
  net::LoopOptions options;
  options.backend = net::Backend::epoll;  // a few requests an instance: nothing to gain elsewhere
  options.buffer_bytes = buffer_bytes;
  auto loop = net::Loop::create(options);
  if (!loop) {
    log::error("no metadata service for instances: {}", loop.error().message);
    return;
  }
  impl_->loop = std::move(*loop);
  impl_->thread = std::thread([loop = impl_->loop.get()] { loop->run(); });
}

MetadataServer::~MetadataServer() {
  if (!impl_->loop) return;
  impl_->loop->post([impl = impl_.get()] {
    while (!impl->instances.empty()) impl->drop(std::string(impl->instances.begin()->first));
  });
  impl_->loop->stop();
  impl_->thread.join();
}

void MetadataServer::add(const std::string& instance_id, Fd listener, MetadataDocument document) {
  if (!impl_->loop) return;
  ::fcntl(listener.get(), F_SETFL, ::fcntl(listener.get(), F_GETFL) | O_NONBLOCK);
  impl_->loop->post([impl = impl_.get(), instance_id,
                     listener = std::make_shared<Fd>(std::move(listener)),
                     document = std::move(document)]() mutable {
    impl->drop(instance_id);
    impl->instances[instance_id] =
        std::make_unique<InstanceService>(*impl->loop, std::move(*listener), std::move(document));
  });
}

void MetadataServer::update(const std::string& instance_id, MetadataDocument document) {
  if (!impl_->loop) return;
  impl_->loop->post([impl = impl_.get(), instance_id, document = std::move(document)]() mutable {
    const auto found = impl->instances.find(instance_id);
    if (found != impl->instances.end()) found->second->document = std::move(document);
  });
}

void MetadataServer::remove(const std::string& instance_id) {
  if (!impl_->loop) return;
  impl_->loop->post([impl = impl_.get(), instance_id] { impl->drop(instance_id); });
}

}  // namespace weir::compute
