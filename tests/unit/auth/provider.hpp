// An identity provider for tests: HTTPS on 127.0.0.1, its certificate by an authority of its own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/fd.hpp"
#include "make_certificate.hpp"
#include "net/socket.hpp"

namespace weir::auth::test {

[[nodiscard]] inline std::string answer_of(int status, const std::string& body,
                                           const std::string& more_fields = {}) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nConnection: close\r\n" + more_fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class Provider {
 public:
  // Gets the request, returns the whole answer; on the provider's thread, one after the other.
  using Handler = std::function<std::string(const std::string& request)>;

  explicit Provider(Handler handler) : handler_(std::move(handler)) {
    std::signal(SIGPIPE, SIG_IGN);  // of clients that have left
    const auto authority = tls::test::make_certificate({.names = {"authority"}, .is_ca = true});
    const auto made = tls::test::make_certificate({.names = {"localhost"}}, &authority);
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), made.x509.get());
    SSL_CTX_use_PrivateKey(context_.get(), made.pkey.get());
    ca_file_ = testing::TempDir() + "weir-authority-XXXXXX";
    ::close(::mkstemp(ca_file_.data()));
    std::ofstream(ca_file_) << authority.certificate;
    listener_ = std::move(*net::tcp_listen(*net::Address::parse("127.0.0.1", 0), false));
    // The listener is made for event loops.
    const int flags = ::fcntl(listener_.get(), F_GETFL);
    ::fcntl(listener_.get(), F_SETFL, flags & ~O_NONBLOCK);
    port_ = net::local_address(listener_.get())->port();
    thread_ = std::thread([this] { accept_all(); });
  }
  ~Provider() {
    stop();
    ::unlink(ca_file_.c_str());
  }
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  // Connections are refused from now on.
  void stop() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    listener_.reset();
  }
  [[nodiscard]] std::string url(const std::string& path) const {
    return "https://localhost:" + std::to_string(port_) + path;
  }
  [[nodiscard]] const std::string& ca_file() const { return ca_file_; }
  [[nodiscard]] int requests() const { return requests_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* connection) const { SSL_free(connection); }
  };

  void accept_all() {
    for (;;) {
      const Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (socket.get() < 0) return;
      serve(socket.get());
    }
  }

  void serve(int socket) {
    const timeval limit{10, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const std::unique_ptr<SSL, Free> connection(SSL_new(context_.get()));
    SSL_set_fd(connection.get(), socket);
    if (SSL_accept(connection.get()) != 1) return;
    std::string request;
    char buffer[16384];
    while (!is_whole(request)) {
      const int got = SSL_read(connection.get(), buffer, sizeof buffer);
      if (got <= 0) return;
      request.append(buffer, static_cast<std::size_t>(got));
    }
    ++requests_;
    const std::string answer = handler_(request);
    SSL_write(connection.get(), answer.data(), static_cast<int>(answer.size()));
    SSL_shutdown(connection.get());
  }

  static bool is_whole(const std::string& request) {
    const auto end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const auto length = request.find("Content-Length: ");
    return length == std::string::npos ||
           request.size() - end - 4 >= std::stoul(request.substr(length + 16));
  }

  Handler handler_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::string ca_file_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

}  // namespace weir::auth::test
