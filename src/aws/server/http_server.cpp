#include "aws/server/http_server.hpp"

#include <microhttpd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/clock.hpp"

namespace weir::aws {
namespace {

// When each connection's request must have arrived; descriptors are removed before they are closed.
class Deadlines {
 public:
  explicit Deadlines(std::int64_t receive_ms_max)
      : receive_ms_max_(receive_ms_max), thread_([this] { run(); }) {}
  ~Deadlines() {
    {
      const std::scoped_lock lock(mutex_);
      is_ending_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  // A request may begin; with keep-alive the idle time comes on top.
  void expect(int fd, std::int64_t idle_ms) {
    const std::scoped_lock lock(mutex_);
    due_ms_[fd] = monotonic_ms() + receive_ms_max_ + idle_ms;
  }
  // The request is there (it may now take its time), or the connection goes.
  void forget(int fd) {
    const std::scoped_lock lock(mutex_);
    due_ms_.erase(fd);
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    const auto every = std::chrono::milliseconds(std::min<std::int64_t>(1'000, receive_ms_max_));
    while (!wake_.wait_for(lock, every, [this] { return is_ending_; })) {
      const auto now_ms = monotonic_ms();
      for (const auto& [fd, due_ms] : due_ms_) {
        if (due_ms < now_ms) ::shutdown(fd, SHUT_RDWR);
      }
    }
  }

  std::int64_t receive_ms_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_ending_ = false;
  std::unordered_map<int, std::int64_t> due_ms_;
  std::thread thread_;
};

struct Exchange {
  HttpRequest request;
  bool has_head = false;
  bool is_too_large = false;
};

int descriptor_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

class MicroServer final : public HttpServer {
 public:
  MicroServer(HttpHandlers handlers, HttpLimits limits)
      : handlers_(std::move(handlers)), limits_(limits), deadlines_(limits.receive_ms_max) {}
  ~MicroServer() override {
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  Status listen(Fd listener);

 private:
  static void* on_uri(void* self, const char* uri, MHD_Connection* connection);
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* version, const char* data,
                               std::size_t* size, void** state);
  static void on_completed(void* self, MHD_Connection* connection, void** state,
                           MHD_RequestTerminationCode code);
  static void on_connection(void* self, MHD_Connection* connection, void** state,
                            MHD_ConnectionNotificationCode code);

  void take_head(Exchange& exchange, MHD_Connection* connection, const char* method) const;
  MHD_Result respond(const Exchange& exchange, MHD_Connection* connection);

  HttpHandlers handlers_;
  HttpLimits limits_;
  Deadlines deadlines_;
  MHD_Daemon* daemon_ = nullptr;
};

Status MicroServer::listen(Fd listener) {
  const int fd = listener.release();  // libmicrohttpd closes it
  daemon_ = MHD_start_daemon(
      MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC,
      0, nullptr, nullptr, &MicroServer::on_request, this, MHD_OPTION_LISTEN_SOCKET, fd,
      MHD_OPTION_CONNECTION_LIMIT, limits_.connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      limits_.head_bytes_max, MHD_OPTION_CONNECTION_TIMEOUT, limits_.idle_seconds_max,
      MHD_OPTION_URI_LOG_CALLBACK, &MicroServer::on_uri, this, MHD_OPTION_NOTIFY_COMPLETED,
      &MicroServer::on_completed, this, MHD_OPTION_NOTIFY_CONNECTION, &MicroServer::on_connection,
      this, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
  if (daemon_ == nullptr) {
    const Fd unused(fd);
    return fail("ApiEndpoint", "the API's endpoint could not be started");
  }
  return {};
}

// The target as it was sent: what libmicrohttpd gives later is decoded, and a signature covers
// what was sent.
void* MicroServer::on_uri(void*, const char* uri, MHD_Connection*) {
  auto exchange = std::make_unique<Exchange>();
  const std::string_view target(uri);
  const auto mark = std::min(target.find('?'), target.size());
  exchange->request.path = target.substr(0, mark);
  exchange->request.query = target.substr(std::min(mark + 1, target.size()));
  return exchange.release();
}

void MicroServer::take_head(Exchange& exchange, MHD_Connection* connection,
                            const char* method) const {
  exchange.has_head = true;
  exchange.request.method = method;
  const auto add = [](void* headers, MHD_ValueKind, const char* name, std::size_t name_size,
                      const char* value, std::size_t value_size) {
    auto& [key, text] =
        static_cast<std::vector<std::pair<std::string, std::string>>*>(headers)->emplace_back();
    key.assign(name, name_size);
    std::ranges::transform(key, key.begin(), [](unsigned char c) {
      return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    if (value != nullptr) text.assign(value, value_size);
    return MHD_YES;
  };
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add, &exchange.request.headers);
}

MHD_Result MicroServer::on_request(void* self, MHD_Connection* connection, const char*,
                                   const char* method, const char*, const char* data,
                                   std::size_t* size, void** state) {
  auto& server = *static_cast<MicroServer*>(self);
  auto& exchange = *static_cast<Exchange*>(*state);
  if (!exchange.has_head) {
    server.take_head(exchange, connection, method);
    return MHD_YES;
  }
  if (*size > 0) {
    auto& body = exchange.request.body;
    if (body.size() + *size > server.limits_.body_bytes_max) {
      exchange.is_too_large = true;
      body.clear();
    }
    if (!exchange.is_too_large) body.append(data, *size);
    *size = 0;
    return MHD_YES;
  }
  server.deadlines_.forget(descriptor_of(connection));
  return server.respond(exchange, connection);
}

MHD_Result MicroServer::respond(const Exchange& exchange, MHD_Connection* connection) {
  const auto answer = exchange.is_too_large ? handlers_.too_large(exchange.request)
                                            : handlers_.answer(exchange.request);
  auto* response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  for (const auto& [name, value] : answer.headers)
    MHD_add_response_header(response, name.c_str(), value.c_str());
  const auto queued =
      MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return queued;
}

void MicroServer::on_completed(void* self, MHD_Connection* connection, void** state,
                               MHD_RequestTerminationCode) {
  delete static_cast<Exchange*>(*state);
  *state = nullptr;
  auto& server = *static_cast<MicroServer*>(self);
  server.deadlines_.expect(descriptor_of(connection),
                           std::int64_t{server.limits_.idle_seconds_max} * 1'000);
}

void MicroServer::on_connection(void* self, MHD_Connection* connection, void**,
                                MHD_ConnectionNotificationCode code) {
  auto& server = *static_cast<MicroServer*>(self);
  const int fd = descriptor_of(connection);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    server.deadlines_.expect(fd, 0);
  } else {
    server.deadlines_.forget(fd);
  }
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(Fd listener, HttpHandlers handlers,
                                                      HttpLimits limits) {
  auto server = std::make_unique<MicroServer>(std::move(handlers), limits);
  if (auto listening = server->listen(std::move(listener)); !listening)
    return std::unexpected(listening.error());
  return server;
}

}  // namespace weir::aws
