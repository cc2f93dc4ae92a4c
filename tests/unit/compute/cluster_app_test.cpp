// The program that weir carries for instances, run as it is on a port of the kernel's choice, with
// our own metadata service to tell it who it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compute/image.hpp"
#include "compute/metadata.hpp"
#include "image_support.hpp"
#include "net/socket.hpp"

namespace weir::compute {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace testing_support;

class ClusterAppTest : public ::testing::Test {
 protected:
  static constexpr const char* id_page = "Instance i-0123456789abcdef0 is responding now!";

  void SetUp() override {
    auto listener = net::tcp_listen(*net::Address::parse("127.0.0.1", 0), false);
    ASSERT_TRUE(listener.has_value());
    metadata_port_ = net::local_address(listener->get())->port();
    listener_ = std::move(*listener);
    start();
  }

  void start() {
    ASSERT_TRUE(write_boot_files(directory_.path()).has_value());
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    app_ = std::make_unique<Process>(
        std::vector<std::string>{directory_.path() + "/cluster-app", "--cluster", "2", "--port",
                                 "0"},
        std::vector<std::string>{"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:" +
                                 std::to_string(metadata_port_)},
        write_end.get());
    write_end.reset();
    char line[128] = {};
    ASSERT_GT(::read(read_end.get(), line, sizeof line - 1), 0);
    ASSERT_EQ(std::sscanf(line, "cluster-app: cluster 2 on port %d", &port_), 1) << line;
  }

  void tell_the_id() {
    MetadataDocument document;
    document.instance_id = "i-0123456789abcdef0";
    document.tokens_required = true;
    server_.add("i-0123456789abcdef0", std::move(listener_), document);
  }

  std::string ask(const std::string& request_line, const std::string& fields = "") {
    Client client(port_);
    client.send(request_line + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    return client.response(request_line.starts_with("HEAD"));
  }

  TemporaryDirectory directory_;
  Fd listener_;
  int metadata_port_ = 0;
  MetadataServer server_;
  std::unique_ptr<Process> app_;
  int port_ = 0;
};

TEST_F(ClusterAppTest, IsHealthyBeforeItKnowsItsId) {
  EXPECT_EQ(body_of(ask("GET /")), "Healthy!");
  Client waiting(port_);
  waiting.send("GET /cluster2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(body_of(ask("GET /")), "Healthy!");
  tell_the_id();
  EXPECT_EQ(body_of(waiting.response()), id_page);
}

TEST_F(ClusterAppTest, Routes) {
  tell_the_id();
  const std::string healthy = ask("GET /");
  EXPECT_THAT(healthy, AllOf(HasSubstr("HTTP/1.1 200 OK\r\n"),
                             HasSubstr("Content-Type: text/html; charset=utf-8\r\n"),
                             HasSubstr("Content-Length: 8\r\n")));
  EXPECT_EQ(body_of(ask("GET /?a=b")), "Healthy!");
  EXPECT_EQ(body_of(ask("GET /cluster2")), id_page);
  EXPECT_EQ(body_of(ask("GET /a/cluster2/b?c")), id_page);
  EXPECT_EQ(body_of(ask("GET http://host/cluster2")), id_page);
  EXPECT_EQ(body_of(ask("GET http://host")), "Healthy!");
  EXPECT_EQ(status_of(ask("GET /cluster1")), 404);
  EXPECT_EQ(status_of(ask("GET /?/cluster2x")), 200);
  EXPECT_EQ(status_of(ask("GET /a?/cluster2")), 404);
  EXPECT_EQ(status_of(ask("POST /")), 405);
  EXPECT_THAT(ask("DELETE /cluster2"), HasSubstr("Allow: GET, HEAD\r\n"));
  const std::string head = ask("HEAD /cluster2");
  EXPECT_THAT(head, HasSubstr("Content-Length: 47\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST_F(ClusterAppTest, PipelinedAndSplitRequestsAreAnsweredInOrder) {
  tell_the_id();
  std::string requests;
  for (int n = 0; n < 50; ++n) {
    requests += "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /cluster2 HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  Client at_once(port_);
  at_once.send(requests);
  Client by_bytes(port_);
  for (const char byte : requests.substr(0, 300)) by_bytes.send({&byte, 1});
  by_bytes.send(requests.substr(300));
  for (int n = 0; n < 50; ++n) {
    EXPECT_EQ(body_of(at_once.response()), "Healthy!");
    EXPECT_EQ(body_of(at_once.response()), id_page);
    EXPECT_EQ(body_of(by_bytes.response()), "Healthy!");
    EXPECT_EQ(body_of(by_bytes.response()), id_page);
  }
}

// More answers than the app holds back for a client that does not read.
TEST_F(ClusterAppTest, ManyPipelinedRequestsWithoutReading) {
  std::string requests;
  constexpr int count = 20'000;
  for (int n = 0; n < count; ++n) requests += "GET / HTTP/1.1\r\n\r\n";
  Client client(port_);
  std::thread sender([&] { client.send(requests); });
  int answered = 0;
  while (answered < count && status_of(client.response()) == 200) ++answered;
  sender.join();
  EXPECT_EQ(answered, count);
}

TEST_F(ClusterAppTest, BodiesAreConsumed) {
  Client client(port_);
  client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\nGET /x HTTP/1.1\r\n\r"
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(client.response()), 405);
  EXPECT_EQ(body_of(client.response()), "Healthy!");
  client.send(
      "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;ext=1\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: a\r\n\r\n"
      "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(client.response()), 200);
  EXPECT_EQ(status_of(client.response()), 404);
}

TEST_F(ClusterAppTest, ClosesWhenAsked) {
  Client client(port_);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  const std::string answers = client.rest();
  EXPECT_THAT(answers, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(answers.find("HTTP/1.1", 1), std::string::npos);
  Client old(port_);
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(body_of(old.rest()), "Healthy!");
  Client half(port_);
  half.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  half.finish_sending();
  EXPECT_EQ(body_of(half.rest()), "Healthy!");
}

TEST_F(ClusterAppTest, RefusesGarbage) {
  const std::string get = "GET / HTTP/1.1\r\n";
  for (const std::string& bytes : {
           std::string("garbage\r\n\r\n"),
           std::string("GARBAGE1\r\n\r\n"),
           std::string(" \r\n\r\n"),
           std::string("  HTTP/1.1\r\n\r\n"),
           std::string("GET / HTTP/2.0\r\n\r\n"),
           std::string("GET / a HTTP/1.1\r\n\r\n"),
           std::string("GET /\0 HTTP/1.1\r\n\r\n", 20),
           std::string("\x16\x03\x01\x02\r\n\r\n"),
           get + "Content-Length: -1\r\n\r\n",
           get + "Content-Length: 1x\r\n\r\n",
           get + "Content-Length: 99999999999999999999\r\n\r\n",
           get + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
           get + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           get + "Transfer-Encoding: gzip\r\n\r\n",
           get + std::string(20'000, 'a'),
       }) {
    Client client(port_);
    client.send(bytes);
    const std::string answer = client.rest();
    EXPECT_THAT(status_of(answer), ::testing::AnyOf(400, 431)) << bytes.substr(0, 60);
  }
  Client chunks(port_);
  chunks.send(get + "Transfer-Encoding: chunked\r\n\r\n-5\r\n");
  EXPECT_THAT(chunks.rest(), HasSubstr("HTTP/1.1 400"));
  EXPECT_EQ(body_of(ask("GET /")), "Healthy!");
}

}  // namespace
}  // namespace weir::compute
