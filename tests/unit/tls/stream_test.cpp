// TLS over the streams of both loops, spoken to by OpenSSL.
#include "tls/stream.hpp"

#include "tls_fixture.hpp"

namespace weir::tls {
namespace {

using test::Client;
using test::make_context;
using test::options_of;
using test::Seen;
using test::Server;
using Does = test::Server::Does;

const CertifiedKeyPtr& default_key() {
  static const CertifiedKeyPtr key = test::load(test::make_certificate());
  return key;
}

std::string letters(std::size_t count) {
  std::string out(count, 'a');
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<char>('a' + i % 23);
  return out;
}

class TlsStreamTest : public testing::TestWithParam<net::Backend> {
 protected:
  static std::unique_ptr<Server> serve(Does does = Does::echo,
                                       ServerOptions options = options_of({default_key()})) {
    return std::make_unique<Server>(GetParam(), make_context(std::move(options)), does);
  }
};

TEST_P(TlsStreamTest, EchoesInEachVersion) {
  const auto server =
      serve(Does::echo, options_of({default_key()}, "ELBSecurityPolicy-TLS13-1-0-2021-06"));
  const std::pair<int, const char*> versions[] = {{TLS1_VERSION, "TLSv1"},
                                                  {TLS1_1_VERSION, "TLSv1.1"},
                                                  {TLS1_2_VERSION, "TLSv1.2"},
                                                  {TLS1_3_VERSION, "TLSv1.3"}};
  std::size_t number = 0;
  for (const auto& [version, name] : versions) {
    Client client(server->port(), {.version_min = version, .version_max = version});
    ASSERT_TRUE(client.connected) << name << ": " << client.error;
    client.send("hello");
    EXPECT_EQ(client.read(5), "hello");
    client.shut_down();
    EXPECT_EQ(client.read(1), "");
    EXPECT_EQ(client.end_reason, SSL_ERROR_ZERO_RETURN) << "close_notify came";
    const Seen seen = server->seen(number++);
    EXPECT_EQ(seen.version, name);
    EXPECT_TRUE(seen.ended);
  }
}

TEST_P(TlsStreamTest, PassesLargeBodiesBothWays) {
  const auto server = serve();
  Client client(server->port());
  ASSERT_TRUE(client.connected) << client.error;
  const std::string body = letters(2'000'000);
  std::thread writer([&] { client.send(body); });
  // One SSL object is not for two threads: the echo waits in the sockets and the server's queue.
  writer.join();
  EXPECT_EQ(client.read(body.size()), body);
  client.shut_down();
  EXPECT_EQ(server->seen().received, body);
}

TEST_P(TlsStreamTest, StillSendsAfterTheClientHasEnded) {
  const auto server = serve(Does::send_much);
  Client client(server->port());
  ASSERT_TRUE(client.connected) << client.error;
  client.shut_down();
  EXPECT_EQ(client.read(Server::much).size(), Server::much);
  EXPECT_EQ(client.read(1), "");
  EXPECT_EQ(client.end_reason, SSL_ERROR_ZERO_RETURN);
}

TEST_P(TlsStreamTest, TakesAClientThatLeavesWithoutANotice) {
  const auto server = serve();
  Client client(server->port());
  ASSERT_TRUE(client.connected) << client.error;
  client.send("hello");
  EXPECT_EQ(client.read(5), "hello");
  client.drop();
  EXPECT_TRUE(server->seen().ended);
}

TEST_P(TlsStreamTest, RefusesWhatIsNotTls) {
  const auto server = serve();
  const Fd fd = test::connect_to(server->port());
  const std::string request = "GET / HTTP/1.1\r\nHost: example.test\r\n\r\n";
  ASSERT_EQ(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  const Seen seen = server->seen();
  EXPECT_FALSE(seen.connected);
  EXPECT_EQ(seen.error, EPROTO);
  EXPECT_EQ(seen.failure, "http request");
}

TEST_P(TlsStreamTest, RefusesAClientThatLeavesInTheHandshake) {
  const auto server = serve();
  {
    const Fd fd = test::connect_to(server->port());
    const std::string begun = "\x16\x03\x01\x02\x00\x01";
    ::send(fd.get(), begun.data(), begun.size(), MSG_NOSIGNAL);
  }
  const Seen seen = server->seen();
  EXPECT_FALSE(seen.connected);
  EXPECT_EQ(seen.error, ECONNRESET);
}

TEST_P(TlsStreamTest, EndsAConnectionWhoseRecordsAreForged) {
  const auto server = serve();
  Client client(server->port());
  ASSERT_TRUE(client.connected) << client.error;
  client.send("hello");
  EXPECT_EQ(client.read(5), "hello");
  const std::string forged = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  ASSERT_EQ(::send(client.fd(), forged.data(), forged.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(forged.size()));
  EXPECT_EQ(client.read(1), "");
  EXPECT_EQ(client.end_reason, SSL_ERROR_SSL) << "an alert came";
  const Seen seen = server->seen();
  EXPECT_EQ(seen.error, EPROTO);
  EXPECT_EQ(seen.received, "hello");
}

TEST_P(TlsStreamTest, RefusesRenegotiation) {
  const auto server = serve();
  Client client(server->port(), {.version_max = TLS1_2_VERSION});
  ASSERT_TRUE(client.connected) << client.error;
  ASSERT_EQ(SSL_renegotiate(client.ssl()), 1);
  EXPECT_NE(SSL_do_handshake(client.ssl()), 1);
  EXPECT_EQ(take_reason(), "no renegotiation");
}

TEST_P(TlsStreamTest, HoldsNothingOfASlowReaderButTheQueue) {
  const auto server = serve(Does::send_much);
  Client client(server->port());
  ASSERT_TRUE(client.connected) << client.error;
  EXPECT_EQ(client.read(1000).size(), 1000U);
  EXPECT_EQ(client.read(Server::much - 1000).size(), Server::much - 1000);
  client.shut_down();
  EXPECT_GE(server->seen().drained, 1);
  EXPECT_EQ(server->buffered_bytes(), 0U);
  EXPECT_EQ(server->streams(), 0U);
}

TEST_P(TlsStreamTest, ResumesAcrossContextsAndWorkersButNotAcrossListeners) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ServerOptions options = options_of({default_key()});
    const auto one = serve(Does::echo, options);
    const auto other = serve(Does::echo, options);  // the same keys, another context and loop
    const auto exchange = [&](Server& server, SSL_SESSION* session) {
      auto client = std::make_unique<Client>(
          server.port(),
          Client::Options{.version_min = version, .version_max = version, .session = session});
      EXPECT_TRUE(client->connected) << client->error;
      client->send("x");
      EXPECT_EQ(client->read(1), "x");
      client->shut_down();
      return client;
    };
    const auto first = exchange(*one, nullptr);
    EXPECT_FALSE(first->resumed());
    ASSERT_NE(first->session, nullptr);
    EXPECT_TRUE(exchange(*other, first->session)->resumed());
    EXPECT_TRUE(other->seen().resumed);
    EXPECT_EQ(other->seen().certificate_arn, "");
    options.scope = "another listener";
    const auto stranger = serve(Does::echo, options);
    const auto second = exchange(*one, nullptr);
    EXPECT_FALSE(exchange(*stranger, second->session)->resumed());
  }
}

TEST_P(TlsStreamTest, ManyHandshakesAtOnceAllEnd) {
  const auto server = serve();
  std::vector<std::thread> threads;
  std::atomic<int> done = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5; ++n) {
        Client client(server->port());
        if (!client.connected) continue;
        client.send("x");
        if (client.read(1) == "x") ++done;
        client.shut_down();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 40);
}

// Our own client against our own server, in one loop.
struct Recorder final : net::StreamEvents {
  TlsStream* stream = nullptr;
  net::Loop* loop = nullptr;
  std::string received;
  bool connected = false, ended = false;
  int error = 0;
  std::size_t wanted = 0;
  void on_connected() override { connected = true; }
  void on_received(net::Buffer data) override {
    received += data.view();
    if (received.size() >= wanted) loop->stop();
  }
  void on_end() override {
    ended = true;
    loop->stop();
  }
  void on_error(int e) override {
    error = e;
    loop->stop();
  }
};

class TlsClientTest : public TlsStreamTest {
 protected:
  void SetUp() override {
    net::LoopOptions options;
    options.backend = GetParam();
    loop_ = std::move(*net::Loop::create(options));
    streams_ = std::make_unique<Streams>(*loop_);
    client_.loop = loop_.get();
  }
  void connect(std::uint16_t port, std::string_view trusted = {}) {
    const auto context = ClientContext::create(
        *model::find_ssl_policy("ELBSecurityPolicy-TLS13-1-0-2021-06"), trusted);
    ASSERT_TRUE(context.has_value()) << context.error().message;
    net::Stream* inner =
        loop_->connect(*net::tcp_socket(AF_INET), *net::Address::parse("127.0.0.1", port), nullptr);
    client_.stream = streams_->connect(inner, *context, &client_);
    client_.stream->set_receiving(true);
  }
  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<Streams> streams_;
  Recorder client_;
};

TEST_P(TlsClientTest, SendsWhatWasQueuedBeforeTheHandshake) {
  const auto server = serve();
  connect(server->port());
  const std::string body = letters(500'000);
  client_.wanted = body.size();
  client_.stream->send_copy(body);
  loop_->run();
  EXPECT_TRUE(client_.connected);
  EXPECT_EQ(client_.received, body);
  EXPECT_EQ(client_.stream->version(), "TLSv1.3");
  client_.stream->close(net::Close::flush);
}

TEST_P(TlsClientTest, TrustsWhatItIsToldTo) {
  test::Wanted ca;
  ca.names = {"root"};
  ca.is_ca = true;
  const auto root = test::make_certificate(ca);
  const auto server =
      serve(Does::echo, options_of({test::load(test::make_certificate({}, &root))}));
  connect(server->port(), root.certificate);
  client_.wanted = 1;
  client_.stream->send_copy("x");
  loop_->run();
  EXPECT_EQ(client_.received, "x");
  client_.stream->close();
}

TEST_P(TlsClientTest, RefusesWhatItDoesNotTrust) {
  const auto server = serve();
  connect(server->port(), test::make_certificate().certificate);
  loop_->run();
  EXPECT_FALSE(client_.connected);
  EXPECT_EQ(client_.error, EPROTO);
  EXPECT_EQ(client_.stream->failure(), "certificate verify failed");
  client_.stream->close();
}

TEST_P(TlsClientTest, SaysWhenTheConnectionIsRefused) {
  std::uint16_t unused = 0;
  {
    const auto socket = net::tcp_listen(*net::Address::parse("127.0.0.1", 0), false);
    unused = net::local_address(socket->get())->port();
  }
  connect(unused);
  loop_->run();
  EXPECT_EQ(client_.error, ECONNREFUSED);
  client_.stream->close();
}

const auto backends = testing::Values(net::Backend::epoll, net::Backend::io_uring);
std::string name_of(const testing::TestParamInfo<net::Backend>& info) {
  return info.param == net::Backend::epoll ? "epoll" : "uring";
}
INSTANTIATE_TEST_SUITE_P(Both, TlsStreamTest, backends, name_of);
INSTANTIATE_TEST_SUITE_P(Both, TlsClientTest, backends, name_of);

}  // namespace
}  // namespace weir::tls
