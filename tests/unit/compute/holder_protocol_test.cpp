// Messages between daemon and holder: what goes in comes out, and what is no message is refused.
#include <gtest/gtest.h>

#include "compute/protocol.hpp"

namespace weir::compute {
namespace {

Request launch_request() {
  Request request;
  request.id = 7;
  request.operation = Operation::launch;
  InstanceSpec& spec = request.spec;
  spec.id = "i-0123456789abcdef0";
  spec.image_id = "ami-1";
  spec.hostname = "ip-10-0-0-1.ec2.internal";
  spec.private_ip = "10.0.0.1";
  spec.subnet_prefix = 20;
  spec.vpc_cidr = "10.0.0.0/16";
  spec.gateway = "10.0.0.254";
  spec.mac = "02:00:00:00:00:01";
  spec.vcpus = 2;
  spec.memory_mib = 8192;
  spec.ebs_bytes_per_second = 1;
  spec.network_bits_per_second = 2;
  spec.is_first_boot = false;
  spec.public_key = "ssh-ed25519 AAAA";
  spec.firewall.ingress = {{"tcp", 80, 81, {"0.0.0.0/0", "10.0.0.0/8"}}};
  spec.firewall.egress = {{"-1", -1, -1, {"0.0.0.0/0"}}};
  return request;
}

TEST(Protocol, LaunchKeepsEverything) {
  Request request = launch_request();
  request.spec.user_data = std::string("\x1f\x8b\0\xff bytes", 10);  // any bytes, as EC2 takes them
  const auto got = decode_request(encode(request));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->id, 7U);
  EXPECT_EQ(got->operation, Operation::launch);
  EXPECT_EQ(got->spec.user_data, request.spec.user_data);
  // Encoded again it must be the same message: no field is lost on the way.
  EXPECT_EQ(encode(*got), encode(request));
  EXPECT_EQ(got->spec.mac, "02:00:00:00:00:01");
  EXPECT_FALSE(got->spec.is_first_boot);
  EXPECT_EQ(got->spec.firewall.ingress[0].peers[1], "10.0.0.0/8");
  EXPECT_EQ(got->spec.firewall.ingress[0].to_port, 81);
}

TEST(Protocol, EveryOperationKeepsItsFields) {
  Request request;
  request.id = 3;
  request.instance = "i-0123456789abcdef0";
  request.vpc = {"10.0.0.0/16", "10.0.0.1"};
  request.words = {"a", "b"};
  request.number = 5;
  request.terminal = true;
  request.firewall.ingress = {{"udp", 1, 2, {"10.0.0.1"}}};
  for (int i = 0; i <= static_cast<int>(Operation::release); ++i) {
    request.operation = static_cast<Operation>(i);
    const auto got = decode_request(encode(request));
    if (request.operation == Operation::launch) continue;
    ASSERT_TRUE(got) << i;
    EXPECT_EQ(got->operation, request.operation);
    EXPECT_EQ(encode(*got), encode(request)) << i;
  }
}

TEST(Protocol, ResponseKeepsEverything) {
  Response response;
  response.id = 9;
  response.error = Error{"Code", "message", "hint"};
  response.flag = true;
  response.number = 137;
  response.running = {{"i-0123456789abcdef0", 42, "running"}};
  response.greeting = Capabilities{true, false, "because", false, "runc 1"};
  response.exited = "i-0123456789abcdef1";
  response.exit_status = 4;
  const auto got = decode_response(encode(response));
  ASSERT_TRUE(got);
  EXPECT_EQ(encode(*got), encode(response));
  EXPECT_EQ(got->running[0].pid, 42);
  EXPECT_EQ(got->greeting->limits_reason, "because");
  EXPECT_EQ(got->exit_status, 4);
}

TEST(Protocol, ErrorTextNeedNotBeUtf8) {
  Response response;
  response.error = Error{"RuntimeFailed", "runc said \xff\xfe", ""};
  EXPECT_TRUE(decode_response(encode(response)));
}

TEST(Protocol, WhatIsNoMessageIsRefused) {
  for (const std::string text :
       {"", "{", "[]", "null", "7", R"({"id":1})", R"({"id":1,"op":"format_disk"})",
        R"({"id":"x","op":"running"})", R"({"id":1,"op":"launch"})",
        R"({"id":1,"op":"launch","spec":{"id":3}})", R"({"id":1,"op":"set_firewall"})",
        R"({"id":1,"op":"stop","number":"x"})"}) {
    const auto got = decode_request(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, "MalformedMessage");
  }
  for (const std::string text : {"", "{", "[]", "{}", R"({"id":1,"error":{}})",
                                 R"({"id":1,"running":[{}]})", R"({"id":1,"flag":"x"})"}) {
    EXPECT_FALSE(decode_response(text)) << text;
  }
}

}  // namespace
}  // namespace weir::compute
