// A server of TlsStreams on a loop of its own thread, and clients that know OpenSSL alone.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "make_certificate.hpp"
#include "net/loop.hpp"
#include "net/socket.hpp"
#include "tls/stream.hpp"

namespace weir::tls::test {

// What one connection of the server did. Read once the server has told its end.
struct Seen {
  std::string received, version, cipher, protocol, server_name, certificate_arn, failure;
  bool connected = false, ended = false, resumed = false, name_matched = false;
  int error = 0;
  std::size_t queued_max = 0;
  int drained = 0;
};

class Server final : public net::AcceptEvents {
 public:
  enum class Does { echo, send_much, nothing };

  Server(net::Backend backend, ServerContextPtr context, Does does = Does::echo)
      : context_(std::move(context)), does_(does) {
    net::LoopOptions options;
    options.backend = backend;
    loop_ = std::move(*net::Loop::create(options));
    streams_ = std::make_unique<Streams>(*loop_);
    auto socket = net::tcp_listen(*net::Address::parse("127.0.0.1", 0), false);
    port_ = net::local_address(socket->get())->port();
    listener_ = loop_->listen(std::move(*socket), this);
    thread_ = std::thread([this] { loop_->run(); });
  }
  ~Server() {
    loop_->stop();
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void use(ServerContextPtr context) {
    run([&] { context_ = std::move(context); });
  }
  // Runs it on the loop's thread and waits.
  void run(const std::function<void()>& task) {
    std::promise<void> done;
    loop_->post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  // What the connection that came as number `index` has seen, once it is over (ended or failed).
  Seen seen(std::size_t index = 0) {
    std::unique_lock lock(mutex_);
    over_.wait(lock, [&] { return seen_.size() > index && seen_[index] != nullptr; });
    return *seen_[index];
  }
  [[nodiscard]] std::size_t streams() {
    std::size_t count = 0;
    run([&] { count = streams_->size(); });
    return count;
  }
  [[nodiscard]] std::size_t buffered_bytes() {
    std::size_t bytes = 0;
    run([&] { bytes = loop_->buffered_bytes(); });
    return bytes;
  }
  void on_accepted(Fd socket) override {
    net::Stream* inner = loop_->adopt(std::move(socket), nullptr);
    sessions_.push_back(std::make_unique<Session>(*this, sessions_.size()));
    sessions_.back()->stream = streams_->accept(inner, context_, sessions_.back().get());
  }
  void on_accept_error(int) override {}

  static constexpr std::size_t much = 3'000'000;

 private:
  struct Session final : net::StreamEvents {
    Session(Server& s, std::size_t n) : server(s), number(n) {}
    void on_connected() override {
      seen.connected = true;
      seen.version = stream->version();
      seen.cipher = stream->cipher();
      seen.protocol = stream->protocol();
      seen.server_name = stream->server_name();
      seen.certificate_arn = stream->certificate_arn();
      seen.resumed = stream->is_resumed();
      seen.name_matched = stream->is_name_matched();
      stream->set_receiving(true);
      if (server.does_ == Does::send_much) stream->send_copy(std::string(much, 'm'));
    }
    void on_received(net::Buffer data) override {
      seen.received += data.view();
      if (server.does_ == Does::echo) stream->send(std::move(data));
      seen.queued_max = std::max(seen.queued_max, stream->queued_bytes());
    }
    void on_end() override {
      seen.ended = true;
      stream->shutdown_send();
      stream->close(net::Close::flush);
      server.note(*this);
    }
    void on_drained() override { ++seen.drained; }
    void on_error(int error) override {
      seen.error = error;
      seen.failure = stream->failure();
      stream->close(net::Close::now);
      server.note(*this);
    }
    Server& server;
    std::size_t number;
    TlsStream* stream = nullptr;
    Seen seen;
  };

  void note(const Session& session) {
    const std::lock_guard lock(mutex_);
    if (seen_.size() <= session.number) seen_.resize(session.number + 1);
    seen_[session.number] = std::make_unique<Seen>(session.seen);
    over_.notify_all();
  }

  ServerContextPtr context_;
  Does does_;
  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<Streams> streams_;
  net::Listener* listener_ = nullptr;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::mutex mutex_;
  std::condition_variable over_;
  std::vector<std::unique_ptr<Seen>> seen_;
  std::thread thread_;
};

inline Fd connect_to(std::uint16_t port) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = *net::Address::parse("127.0.0.1", port);
  EXPECT_EQ(
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length), 0);
  return fd;
}

struct ClientOptions {
  std::string server_name = {};
  std::string protocols = {};  // ALPN, in wire form
  std::string ciphers = {};    // of TLS 1.2 and before
  std::string signatures = {};
  int version_min = 0;
  int version_max = 0;
  SSL_SESSION* session = nullptr;
};

// A blocking client.
class Client {
 public:
  using Options = ClientOptions;

  Client(std::uint16_t port, const ClientOptions& options = {}) {
    // OpenSSL writes to its socket as to a file: a server that has closed it would end the program.
    std::signal(SIGPIPE, SIG_IGN);
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), options.version_min);
    SSL_CTX_set_max_proto_version(context_.get(), options.version_max);
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context_.get(), this);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* made) {
      auto* self = static_cast<Client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
      SSL_SESSION_free(self->session);
      self->session = made;
      return 1;
    });
    if (!options.ciphers.empty()) SSL_CTX_set_cipher_list(context_.get(), options.ciphers.c_str());
    if (!options.signatures.empty())
      SSL_CTX_set1_sigalgs_list(context_.get(), options.signatures.c_str());
    ssl_.reset(SSL_new(context_.get()));
    fd_ = connect_to(port);
    SSL_set_fd(ssl_.get(), fd_.get());
    if (!options.server_name.empty())
      SSL_set_tlsext_host_name(ssl_.get(), options.server_name.c_str());
    if (!options.protocols.empty())
      SSL_set_alpn_protos(ssl_.get(),
                          reinterpret_cast<const unsigned char*>(options.protocols.data()),
                          static_cast<unsigned>(options.protocols.size()));
    if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
    connected = SSL_connect(ssl_.get()) == 1;
    if (!connected) error = take_reason();
  }
  ~Client() { SSL_SESSION_free(session); }

  void send(std::string_view bytes) {
    ERR_clear_error();
    ASSERT_EQ(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())),
              static_cast<int>(bytes.size()));
  }
  // Up to `bytes`, or the end.
  std::string read(std::size_t bytes) {
    std::string out;
    char block[16384];
    while (out.size() < bytes) {
      const int got =
          SSL_read(ssl_.get(), block, static_cast<int>(std::min(sizeof block, bytes - out.size())));
      if (got <= 0) {
        end_reason = SSL_get_error(ssl_.get(), got);
        break;
      }
      out.append(block, static_cast<std::size_t>(got));
    }
    return out;
  }
  void shut_down() { SSL_shutdown(ssl_.get()); }
  void drop() { fd_.reset(); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] SSL* ssl() { return ssl_.get(); }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  [[nodiscard]] std::string certificate_name() const {
    const X509Ptr peer(SSL_get1_peer_certificate(ssl_.get()));
    return peer ? describe(*peer).domain_name : "";
  }

  bool connected = false;
  std::string error;
  int end_reason = 0;
  SSL_SESSION* session = nullptr;

 private:
  SslContextPtr context_;
  Fd fd_;
  SslPtr ssl_;
};

inline ServerContextPtr make_context(ServerOptions options) {
  auto context = ServerContext::create(std::move(options));
  EXPECT_TRUE(context.has_value()) << (context ? "" : context.error().message);
  return context ? *context : nullptr;
}

inline ServerOptions options_of(const std::vector<CertifiedKeyPtr>& keys,
                                std::string policy = "ELBSecurityPolicy-TLS13-1-2-2021-06") {
  ServerOptions out;
  out.policy = std::move(policy);
  for (std::size_t i = 0; i < keys.size(); ++i)
    out.certificates.push_back({"arn:" + std::to_string(i), keys[i]});
  out.scope = "listener";
  out.ticket_keys = std::make_shared<TicketKeys>();
  return out;
}

}  // namespace weir::tls::test
