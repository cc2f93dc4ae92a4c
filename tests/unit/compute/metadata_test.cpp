// The metadata service: what is told (reference §9.6), its protocol, and its sockets.
#include "compute/metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compute/metadata_service.hpp"
#include "http/parser.hpp"
#include "image_support.hpp"
#include "net/socket.hpp"

namespace weir::compute {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace testing_support;

MetadataDocument example() {
  MetadataDocument document;
  document.instance_id = "i-0123456789abcdef0";
  document.ami_id = "ami-08c40ec9ead489470";
  document.instance_type = "m4.large";
  document.reservation_id = "r-0123456789abcdef0";
  document.region = "us-east-1";
  document.zone = "us-east-1a";
  document.zone_id = "use1-az1";
  document.local_ipv4 = "172.31.0.10";
  document.local_hostname = "ip-172-31-0-10.ec2.internal";
  document.mac = "02:00:ac:1f:00:0a";
  document.subnet_id = "subnet-1";
  document.subnet_cidr = "172.31.0.0/20";
  document.vpc_id = "vpc-1";
  document.vpc_cidr = "172.31.0.0/16";
  document.owner_id = "123456789012";
  document.launch_time_ms = 1'764'000'000'123;
  document.security_groups = {"web", "ssh"};
  document.security_group_ids = {"sg-1", "sg-2"};
  document.tags = {{"Name", "web-1"}, {"empty", ""}, {"a/b", "hidden"}};
  return document;
}

std::string text(const MetadataDocument& document, std::string_view path) {
  const auto answer = answer_metadata(document, path);
  return answer.status == 200 ? answer.body : std::to_string(answer.status);
}

TEST(Metadata, RootListsVersions) {
  const std::string versions = text(example(), "/");
  EXPECT_TRUE(versions.starts_with("1.0\n2007-01-19\n"));
  EXPECT_TRUE(versions.ends_with("\nlatest"));
}

TEST(Metadata, EveryVersionTellsTheSame) {
  for (const char* version : {"1.0", "2007-01-19", "2021-03-23", "latest"}) {
    EXPECT_EQ(text(example(), std::string("/") + version + "/meta-data/instance-id"),
              "i-0123456789abcdef0");
  }
  EXPECT_EQ(text(example(), "/2007-01-20/meta-data/instance-id"), "404");
}

TEST(Metadata, ListsDirectoriesWithAndWithoutTheSlash) {
  EXPECT_EQ(text(example(), "/latest"), "dynamic\nmeta-data");
  EXPECT_EQ(text(example(), "/latest/"), "dynamic\nmeta-data");
  EXPECT_EQ(text(example(), "/latest/meta-data/placement"),
            "availability-zone\navailability-zone-id\nregion");
  EXPECT_EQ(text(example(), "/latest/meta-data/placement/"),
            "availability-zone\navailability-zone-id\nregion");
  EXPECT_THAT(text(example(), "/latest/meta-data/"),
              AllOf(HasSubstr("\ninstance-id\n"), HasSubstr("\nnetwork/\n"),
                    HasSubstr("\nplacement/\n"), Not(HasSubstr("public-keys"))));
  EXPECT_EQ(text(example(), "/latest/meta-data/network/interfaces/macs/"), "02:00:ac:1f:00:0a/");
}

TEST(Metadata, TellsItems) {
  const auto document = example();
  const std::string base = "/latest/meta-data/";
  EXPECT_EQ(text(document, base + "ami-id"), "ami-08c40ec9ead489470");
  EXPECT_EQ(text(document, base + "ami-launch-index"), "0");
  EXPECT_EQ(text(document, base + "hostname"), "ip-172-31-0-10.ec2.internal");
  EXPECT_EQ(text(document, base + "placement/availability-zone"), "us-east-1a");
  EXPECT_EQ(text(document, base + "security-groups"), "web\nssh");
  EXPECT_EQ(text(document, base + "tags/instance/"), "Name\nempty");
  EXPECT_EQ(text(document, base + "tags/instance/Name"), "web-1");
  EXPECT_EQ(text(document, base + "tags/instance/empty"), "");
  const std::string interface = base + "network/interfaces/macs/02:00:ac:1f:00:0a/";
  EXPECT_EQ(text(document, interface + "subnet-id"), "subnet-1");
  EXPECT_EQ(text(document, interface + "vpc-ipv4-cidr-block"), "172.31.0.0/16");
  EXPECT_EQ(text(document, interface + "security-group-ids"), "sg-1\nsg-2");
  EXPECT_EQ(text(document, "//latest//meta-data//mac"), "02:00:ac:1f:00:0a");
}

TEST(Metadata, KeysAreListedByNumberAndName) {
  auto document = example();
  document.key_name = "my-key";
  document.public_key = "ssh-ed25519 AAAA my-key";
  EXPECT_EQ(text(document, "/latest/meta-data/public-keys/"), "0=my-key");
  EXPECT_EQ(text(document, "/latest/meta-data/public-keys/0/"), "openssh-key");
  EXPECT_EQ(text(document, "/latest/meta-data/public-keys/0/openssh-key"),
            "ssh-ed25519 AAAA my-key");
  EXPECT_THAT(text(document, "/latest/meta-data/"), HasSubstr("\npublic-keys/\n"));
}

TEST(Metadata, UserDataIsRawAndOtherwiseMissing) {
  auto document = example();
  EXPECT_EQ(answer_metadata(document, "/latest/user-data").status, 404);
  document.user_data = std::string("#!/bin/sh\n\0binary", 16);
  const auto answer = answer_metadata(document, "/latest/user-data");
  EXPECT_EQ(answer.body, document.user_data);
  EXPECT_EQ(answer.content_type, "application/octet-stream");
  EXPECT_EQ(text(document, "/latest/"), "dynamic\nmeta-data\nuser-data");
}

TEST(Metadata, IdentityDocument) {
  const std::string identity = text(example(), "/latest/dynamic/instance-identity/document");
  EXPECT_THAT(identity, HasSubstr("\"accountId\": \"123456789012\""));
  EXPECT_THAT(identity, HasSubstr("\"pendingTime\": \"2025-11-24T16:00:00Z\""));
  EXPECT_EQ(text(example(), "/latest/dynamic/instance-identity/"), "document");
}

TEST(Metadata, UnknownPathsAre404) {
  for (const char* path :
       {"/latest/meta-data/nothing", "/latest/meta-data/instance-id/", "/latest/meta-data/iam/",
        "/latest/meta-data/public-ipv4", "/latest/api/token", "/nothing", "latest", "",
        "/latest/meta-data/../meta-data/mac", "/latest/meta-data/public-keys/"}) {
    EXPECT_EQ(text(example(), path), "404") << path;
  }
}

// ---- the protocol

MetadataResponse ask(const MetadataDocument& document, MetadataTokens& tokens,
                     const std::string& head, std::int64_t now_ms = 1000) {
  http::RequestParser parser;
  http::RequestHead request;
  const std::string bytes = head + "Host: 169.254.169.254\r\n\r\n";
  EXPECT_EQ(parser.parse(bytes, request), http::ParseState::done) << bytes;
  return respond(document, tokens, request, now_ms);
}

TEST(MetadataService, TokenIsIssuedUsedAndEnds) {
  MetadataTokens tokens;
  const auto issued = ask(example(), tokens,
                          "PUT /latest/api/token HTTP/1.1\r\n"
                          "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n");
  ASSERT_EQ(issued.answer.status, 200);
  ASSERT_EQ(issued.answer.body.size(), 56U);
  const std::string get =
      "GET /latest/meta-data/mac HTTP/1.1\r\nX-Aws-Ec2-Metadata-Token: " + issued.answer.body +
      "\r\n";
  const auto told = ask(example(), tokens, get, 30'500);
  EXPECT_EQ(told.answer.status, 200);
  EXPECT_EQ(told.token_ttl_seconds, 31);
  EXPECT_EQ(ask(example(), tokens, get, 61'001).answer.status, 401);
  MetadataTokens of_another;
  EXPECT_EQ(ask(example(), of_another, get).answer.status, 401);
}

TEST(MetadataService, RefusesAsDocumented) {
  MetadataTokens tokens;
  const auto status = [&](const std::string& head) {
    return ask(example(), tokens, head).answer.status;
  };
  const std::string put = "PUT /latest/api/token HTTP/1.1\r\n";
  const std::string ttl = "X-aws-ec2-metadata-token-ttl-seconds: ";
  EXPECT_EQ(status(put), 400);
  for (const char* bad : {"0", "21601", "-1", "x", "60s", "+60", "99999999999999999999"}) {
    EXPECT_EQ(status(put + ttl + bad + "\r\n"), 400) << bad;
  }
  EXPECT_EQ(status(put + ttl + "1\r\n"), 200);
  EXPECT_EQ(status(put + ttl + "21600\r\n"), 200);
  EXPECT_EQ(status(put + ttl + "60\r\nX-Forwarded-For: 1.2.3.4\r\n"), 403);
  EXPECT_EQ(status("PUT /latest/meta-data/mac HTTP/1.1\r\n" + ttl + "60\r\n"), 403);
  EXPECT_EQ(status("DELETE /latest/meta-data/mac HTTP/1.1\r\n"), 405);
  EXPECT_EQ(status("GET /latest/meta-data/mac HTTP/1.1\r\nX-aws-ec2-metadata-token: no\r\n"), 401);
  EXPECT_EQ(status("GET /latest/meta-data/%4g HTTP/1.1\r\n"), 400);
}

TEST(MetadataService, FirstVersionIsAllowedUnlessTokensAreRequired) {
  MetadataTokens tokens;
  auto document = example();
  const std::string get = "GET /latest/meta-data/mac HTTP/1.1\r\n";
  EXPECT_EQ(ask(document, tokens, get).answer.status, 200);
  document.tokens_required = true;
  EXPECT_EQ(ask(document, tokens, get).answer.status, 401);
}

TEST(MetadataService, TokensAreBounded) {
  MetadataTokens tokens;
  const std::string first = tokens.issue(10, 0);
  const std::string second = tokens.issue(20, 0);
  for (std::size_t n = 0; n < MetadataTokens::tokens_max - 1; ++n) (void)tokens.issue(60, 0);
  EXPECT_FALSE(tokens.seconds_left(first, 1).has_value());
  EXPECT_TRUE(tokens.seconds_left(second, 1).has_value());
  EXPECT_FALSE(tokens.seconds_left("", 1).has_value());
}

TEST(MetadataService, ThrottleRefills) {
  MetadataThrottle throttle;
  int allowed = 0;
  while (throttle.allows(1)) ++allowed;
  EXPECT_EQ(allowed, 1000);
  EXPECT_TRUE(throttle.allows(5));
}

TEST(MetadataService, HeadHasTheSameHeadAndNoBody) {
  MetadataTokens tokens;
  const auto response = ask(example(), tokens, "HEAD /latest/meta-data/mac HTTP/1.1\r\n");
  const std::string bytes = to_bytes(response, 0);
  EXPECT_THAT(bytes, HasSubstr("Content-Length: 17\r\n"));
  EXPECT_TRUE(bytes.ends_with("\r\n\r\n"));
}

// ---- sockets

class MetadataServerTest : public ::testing::Test {
 protected:
  // A socket as the holder makes it.
  int add(const std::string& id) {
    auto listener = net::tcp_listen(*net::Address::parse("127.0.0.1", 0), false);
    const int port = net::local_address(listener->get())->port();
    auto document = example();
    document.instance_id = id;
    server_.add(id, std::move(*listener), document);
    return port;
  }
  static constexpr std::string_view get_id =
      "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: imds\r\n\r\n";

  MetadataServer server_;
};

TEST_F(MetadataServerTest, TheSocketSaysWhoAsks) {
  const int first = add("i-1");
  const int second = add("i-2");
  Client one(first);
  Client two(second);
  one.send(get_id);
  two.send(get_id);
  EXPECT_EQ(body_of(one.response()), "i-1");
  EXPECT_EQ(body_of(two.response()), "i-2");
}

TEST_F(MetadataServerTest, KeepsAliveAndAnswersPipelinedRequestsInOrder) {
  Client client(add("i-1"));
  std::string requests(get_id);
  requests += "GET /latest/meta-data/mac HTTP/1.1\r\nHost: imds\r\n\r\n";
  for (const char byte : requests) client.send({&byte, 1});
  EXPECT_EQ(body_of(client.response()), "i-1");
  EXPECT_EQ(body_of(client.response()), "02:00:ac:1f:00:0a");
  client.send("GET / HTTP/1.1\r\nHost: imds\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.rest(), AllOf(HasSubstr("Connection: close"), HasSubstr("latest")));
}

TEST_F(MetadataServerTest, RefusesGarbageAndCloses) {
  const int port = add("i-1");
  for (const std::string& bytes :
       {std::string("\x16\x03\x01garbage\r\n\r\n"), std::string("GET\r\n\r\n"),
        "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n",
        std::string("GET / HTTP/1.1\r\nHost: a\r\nA: ") + std::string(20'000, 'a')}) {
    Client client(port);
    client.send(bytes);
    const std::string answer = client.rest();
    EXPECT_THAT(status_of(answer), ::testing::AnyOf(400, 414, 431)) << answer.substr(0, 200);
  }
  Client client(port);
  client.send(get_id);
  EXPECT_EQ(body_of(client.response()), "i-1");
}

TEST_F(MetadataServerTest, UpdateChangesAndRemoveClosesConnections) {
  Client client(add("i-1"));
  client.send(get_id);
  EXPECT_EQ(body_of(client.response()), "i-1");
  auto document = example();
  document.instance_id = "i-new";
  server_.update("i-1", document);
  client.send(get_id);
  EXPECT_EQ(body_of(client.response()), "i-new");
  server_.remove("i-1");
  EXPECT_EQ(client.rest(), "");
}

TEST_F(MetadataServerTest, ConnectionsAreBoundedPerInstance) {
  const int port = add("i-1");
  std::vector<std::unique_ptr<Client>> clients;
  for (int n = 0; n < 64; ++n) {
    clients.push_back(std::make_unique<Client>(port));
    clients.back()->send(get_id);
    ASSERT_EQ(body_of(clients.back()->response()), "i-1");
  }
  Client refused(port);
  EXPECT_EQ(refused.rest(), "");
  clients.pop_back();
  EXPECT_TRUE(eventually([&] {
    Client again(port);
    again.send(get_id);
    return status_of(again.response()) == 200;
  }));
}

}  // namespace
}  // namespace weir::compute
