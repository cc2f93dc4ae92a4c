// The data plane from outside: real sockets on loopback, a client's bytes in, a target's bytes out.
// Every test runs on both event loops.
#include <fmt/format.h>

#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_P(DataPlaneTest, ForwardsARequestWithTheHeadersOfAnAlb) {
  std::string seen;
  TestTarget target([&](Connection& c) {
    seen = c.read_head();
    c.send(ok);
  });
  serve(target);
  const std::string answer =
      ask("GET /a?b=1 HTTP/1.1\r\nHost: Web.Example:8080\r\nConnection: X-Gone\r\nX-Gone: 1\r\n"
          "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nAccept: */*\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nok"));
  EXPECT_THAT(seen, StartsWith("GET /a?b=1 HTTP/1.1\r\n"
                               "X-Forwarded-For: 1.2.3.4, 127.0.0.1\r\n"
                               "X-Forwarded-Proto: http\r\n"
                               "X-Forwarded-Port: 80\r\n"
                               "Host: web.example\r\n"
                               "X-Amzn-Trace-Id: Root=1-"));
  EXPECT_THAT(seen, testing::EndsWith("\r\nAccept: */*\r\n\r\n"));
  EXPECT_THAT(seen, Not(HasSubstr("X-Gone")));
  EXPECT_THAT(seen, Not(HasSubstr("https")));
}

TEST_P(DataPlaneTest, KeepsBothSidesAlive) {
  TestTarget target(always(ok));
  serve(target);
  auto client = connect();
  for (int i = 0; i < 50; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 OK"));
  }
  EXPECT_EQ(target.connections(), 1);
}

TEST_P(DataPlaneTest, AnswersPipelinedRequestsInOrder) {
  TestTarget target([](Connection& c) {
    for (;;) {
      const std::string head = c.read_head();
      if (head.empty()) return;
      const std::string path = head.substr(4, head.find(' ', 4) - 4);
      c.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" +
             path);
    }
  });
  serve(target);
  std::string requests;
  for (int i = 0; i < 200; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  auto client = connect();
  client.send(requests);
  for (int i = 0; i < 200; ++i)
    EXPECT_THAT(client.read_response(), testing::EndsWith("\r\n\r\n/" + std::to_string(i)));
}

TEST_P(DataPlaneTest, ALongPipelineOfFixedResponsesIsAnswered) {
  set_default_action({1, model::FixedResponseAction{200, "text/plain", "x"}});
  apply();
  std::string requests;
  for (int i = 0; i < 5'000; ++i) requests += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  auto client = connect();
  std::thread sender([&] { client.send(requests); });
  for (int i = 0; i < 5'000; ++i) ASSERT_THAT(client.read_response(), StartsWith("HTTP/1.1 200"));
  sender.join();
}

std::string pattern(std::size_t bytes) {
  std::string out(bytes, ' ');
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return out;
}

TEST_P(DataPlaneTest, StreamsLargeBodiesBothWays) {
  const std::string body = pattern(8'000'000);
  TestTarget target([&](Connection& c) {
    c.read_head();
    const std::string got = c.read_exactly(body.size());
    c.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(got.size()) + "\r\n\r\n" + got);
  });
  serve(target);
  auto client = connect();
  std::thread sender([&] {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
  });
  const std::string answer = client.read_response();
  sender.join();
  EXPECT_TRUE(answer.ends_with(body));
}

TEST_P(DataPlaneTest, ReframesChunkedBodiesBothWays) {
  TestTarget target([&](Connection& c) {
    const std::string head = c.read_head();
    EXPECT_THAT(head, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
    const std::string body = c.read_until([](const std::string& s) {
      return s.find("0\r\n") != std::string::npos && s.ends_with("\r\n\r\n");
    });
    EXPECT_THAT(body, Not(HasSubstr("extension")));
    EXPECT_THAT(body, testing::EndsWith("0\r\nX-Sum: 1\r\n\r\n"));
    c.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n4\r\ndefg\r\n"
        "0\r\n\r\n");
    c.read_head();
  });
  serve(target);
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;extension=1\r\n");
  client.send("hello\r\n0\r\nX-Sum: 1\r\n\r\n");
  const std::string answer =
      client.read_until([](const std::string& s) { return s.ends_with("\r\n0\r\n\r\n"); });
  EXPECT_THAT(answer,
              HasSubstr("\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n"));
}

// In chunks of many sizes, some of which fill blocks.
std::string in_chunks(std::string_view body) {
  std::string out;
  for (std::size_t size = 1; !body.empty(); size = size * 3 % 100'003) {
    const std::string_view part = body.substr(0, size);
    out += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
    body.remove_prefix(part.size());
  }
  return out + "0\r\n\r\n";
}

std::string out_of_chunks(std::string_view bytes) {
  std::string out;
  while (true) {
    const auto line = bytes.find("\r\n");
    if (line == std::string_view::npos) return "cut off";
    const std::size_t size = std::stoul(std::string(bytes.substr(0, line)), nullptr, 16);
    if (size == 0) return out;
    out += bytes.substr(line + 2, size);
    bytes.remove_prefix(line + 2 + size + 2);
  }
}

TEST_P(DataPlaneTest, StreamsLargeChunkedBodiesBothWays) {
  const std::string body = pattern(3'000'000);
  const auto ends = [](const std::string& s) { return s.ends_with("\r\n0\r\n\r\n"); };
  std::string arrived;
  TestTarget target([&](Connection& c) {
    c.read_head();
    arrived = out_of_chunks(c.read_until(ends));
    c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(body));
    c.read_head();
  });
  serve(target);
  auto client = connect();
  std::thread sender([&] {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
                in_chunks(body));
  });
  client.read_head();
  const std::string answer = out_of_chunks(client.read_until(ends));
  sender.join();
  EXPECT_TRUE(arrived == body) << arrived.size();
  EXPECT_TRUE(answer == body) << answer.size();
}

// client_keep_alive.seconds (reference §5.6): one more request is served, then it ends.
TEST_P(DataPlaneTest, AConnectionThatIsOldEnoughEndsWithItsNextAnswer) {
  set_attribute("client_keep_alive.seconds", "1");
  TestTarget target(always(ok));
  serve(target);
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_response(), Not(HasSubstr("Connection: close")));
  std::this_thread::sleep_for(std::chrono::milliseconds(1'100));  // the age itself
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_response(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_P(DataPlaneTest, Http10ClientsGetPlainBodiesAndTheEnd) {
  TestTarget target(
      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
  serve(target);
  const std::string answer = ask("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nabc"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
}

TEST_P(DataPlaneTest, BodiesDelimitedByTheEndBecomeChunked) {
  TestTarget target([](Connection& c) {
    c.read_head();
    c.send("HTTP/1.1 200 OK\r\n\r\nabc");
  });
  serve(target);
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer =
      client.read_until([](const std::string& s) { return s.ends_with("0\r\n\r\n"); });
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
}

TEST_P(DataPlaneTest, HeadAnswersHaveALengthAndNoBody) {
  TestTarget target(always("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
  serve(target);
  auto client = connect();
  for (int i = 0; i < 2; ++i) {
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.read_head(), HasSubstr("\r\nContent-Length: 1000\r\n"));
  }
  EXPECT_EQ(target.connections(), 1);
}

TEST_P(DataPlaneTest, MalformedRequestsGet400AndNeverReachATarget) {
  TestTarget target(always(ok));
  serve(target);
  for (const char* request :
       {"GET / HTTP/1.1\r\n\r\n", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"}) {
    EXPECT_THAT(ask(request), StartsWith("HTTP/1.1 400 Bad Request\r\nServer: awselb/2.0\r\n"))
        << request;
  }
  EXPECT_EQ(target.connections(), 0);
}

TEST_P(DataPlaneTest, AmbiguousRequestsCloseBothConnectionsInDefensiveMode) {
  TestTarget target(always(ok));
  serve(target);
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n folded\r\n\r\n");
  const std::string answer = client.read_to_end();
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(target.connections(), 2);
}

TEST_P(DataPlaneTest, NoTargetIs503) {
  apply();
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = client.read_response();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Temporarily Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 162\r\n"));
}

TEST_P(DataPlaneTest, TargetsThatAnswerGarbageOrNothingAre502) {
  for (const char* bytes : {"SSH-2.0-OpenSSH\r\n\r\n", "",
                            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 20"}) {
    TestTarget target([bytes](Connection& c) {
      c.read_head();
      c.send(bytes);
    });
    targets_.clear();
    serve(target);
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
                StartsWith("HTTP/1.1 502 Bad Gateway\r\n"))
        << bytes;
  }
}

TEST_P(DataPlaneTest, ARefusedConnectionGoesToAnotherTarget) {
  TestTarget target(always(ok));
  std::uint16_t closed_port = 0;
  {
    TestTarget closed(always(ok));
    closed_port = closed.port();
  }
  add_target(closed_port);
  serve(target);
  auto client = connect();
  for (int i = 0; i < 6; ++i) {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 OK"));
  }
}

TEST_P(DataPlaneTest, AConnectionThatTheTargetClosedWhileIdleIsNotNoticed) {
  // The target answers once and closes when the next request comes, as one whose keep-alive ended.
  TestTarget target([](Connection& c) {
    c.read_head();
    c.send(ok);
    c.read_some();
  });
  serve(target);
  auto client = connect();
  for (int i = 0; i < 20; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 OK")) << i;
  }
}

TEST_P(DataPlaneTest, ATargetThatNeverAnswersIs504AfterTheIdleTimeout) {
  TestTarget target([](Connection& c) { c.read_to_end(); });
  set_attribute("idle_timeout.timeout_seconds", "1");
  serve(target);
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
              StartsWith("HTTP/1.1 504 Gateway Time-out\r\n"));
}

TEST_P(DataPlaneTest, AClientThatStopsWithinItsHeadGets408) {
  set_attribute("idle_timeout.timeout_seconds", "1");
  apply();
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHo");
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 408 Request Time-out\r\n"));
}

TEST_P(DataPlaneTest, AnAnswerCutShortIsNotMistakenForAWhole) {
  TestTarget target([](Connection& c) {
    c.read_head();
    c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  });
  serve(target);
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), Not(HasSubstr("0\r\n\r\n")));
}

TEST_P(DataPlaneTest, EarlyAnswersReachTheClient) {
  TestTarget target([](Connection& c) {
    c.read_head();
    c.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
    c.read_to_end();
  });
  serve(target);
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
  client.send(std::string(100'000, 'x'));
  EXPECT_THAT(client.read_to_end(), testing::EndsWith("\r\n\r\nbig"));
}

TEST_P(DataPlaneTest, ContinueIsAnsweredByTheLoadBalancer) {
  std::string seen;
  TestTarget target([&](Connection& c) {
    seen = c.read_head();
    seen += c.read_exactly(4);
    c.send(ok);
  });
  serve(target);
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(seen, testing::EndsWith("\r\n\r\nbody"));
  EXPECT_THAT(seen, Not(HasSubstr("Expect")));
}

TEST_P(DataPlaneTest, UpgradedConnectionsAreTunnels) {
  TestTarget target([](Connection& c) {
    EXPECT_THAT(c.read_head(), HasSubstr("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    c.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        "first");
    c.send("echo " + c.read_exactly(4));
  });
  serve(target);
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(client.read_exactly(5), "first");
  client.send("ping");
  EXPECT_EQ(client.read_to_end(), "echo ping");
}

TEST_P(DataPlaneTest, ASlowReaderHoldsBackTheTarget) {
  std::atomic<std::size_t> sent = 0;
  std::atomic<bool> done = false;
  // Half of it is more than the kernel's buffers on the way take (tcp_rmem and tcp_wmem: 32 MiB and
  // twice 4 MiB at most).
  constexpr std::size_t all = 128'000'000;
  TestTarget target([&](Connection& c) {
    c.read_head();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(all) + "\r\n\r\n");
    const std::string block(100'000, 'b');
    while (sent < all && c.send(block)) sent += block.size();
    done = true;
  });
  serve(target);
  auto client = connect();
  const int small = 65536;
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  // The target comes to a stand although nobody reads: until two looks find the same figure.
  std::size_t before = 1, now = 0;
  for (int i = 0; i < 100 && before != now; ++i) {
    before = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    now = sent;
  }
  EXPECT_FALSE(done);
  EXPECT_LT(now, all / 2);
  client.read_head();
  EXPECT_EQ(client.read_exactly(all).size(), all);
}

TEST_P(DataPlaneTest, RulesChooseAndChangesCutNothing) {
  TestTarget slow([](Connection& c) {
    c.read_head();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    c.read_some();  // until the load balancer is told to close, or the test sends more
    c.send("cd");
  });
  serve(slow);
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_head();
  EXPECT_EQ(client.read_exactly(2), "ab");
  set_default_action({1, model::FixedResponseAction{404, "text/plain", "gone"}});
  model::Rule rule;
  rule.arn = "rule";
  rule.listener_arn = "listener";
  rule.priority = 1;
  rule.conditions = {{model::ConditionField::path_pattern, {"/old/*"}, {}, {}, {}}};
  rule.actions = {{1, model::RedirectAction{"#{protocol}", "#{host}", "#{port}", "/new/#{path}",
                                            "#{query}", 301}}};
  rules_["rule"] = rule;
  targets_.clear();
  apply();
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("GET /old/x?q HTTP/1.1\r\nHost: Web.Example\r\n\r\n"),
              HasSubstr("Location: http://web.example:80/new/old/x?q\r\n"));
}

TEST_P(DataPlaneTest, SpreadsEvenlyOverTargets) {
  std::vector<std::unique_ptr<TestTarget>> targets;
  std::vector<std::atomic<int>> counts(3);
  for (std::size_t i = 0; i < 3; ++i) {
    targets.push_back(std::make_unique<TestTarget>([&counts, i](Connection& c) {
      while (!c.read_head().empty()) {
        ++counts[i];
        c.send(ok);
      }
    }));
    add_target(targets.back()->port());
  }
  apply();
  auto client = connect();
  for (int i = 0; i < 300; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_response();
  }
  for (const auto& count : counts) EXPECT_EQ(count, 100);
}

TEST_P(DataPlaneTest, APortInUseMovesUpAndAnotherDaemonsIsNotShared) {
  DataPlaneOptions options;
  options.workers = 2;
  options.backend = GetParam();
  options.bind_addresses = {"127.0.0.1"};
  auto other = std::move(*DataPlane::start(std::move(options)));
  // The kernel chooses the port, and anybody may hold the one 8000 above: tried with others then.
  std::uint16_t port = port_;
  auto moved = other->open_port(port);
  for (int i = 0; i < 100 && !moved; ++i) {
    EXPECT_EQ(moved.error().code, "PortInUse");
    port = *data_plane_->open_port(0);
    moved = other->open_port(port);
  }
  ASSERT_TRUE(moved.has_value()) << moved.error().message;
  EXPECT_EQ(*moved, port + 8000);
  EXPECT_EQ(*other->open_port(port), *moved);
  const auto taken = data_plane_->open_port(*moved);
  if (taken) {
    EXPECT_NE(*taken, *moved);
  } else {
    EXPECT_EQ(taken.error().code, "PortInUse");
  }
}

TEST_P(DataPlaneTest, PortsOfDeletedListenersAreClosed) {
  apply();
  listeners_.clear();
  apply();
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = *net::Address::parse("127.0.0.1", port_);
  // The loop closes at the end of its turn.
  int refused = 0;
  for (int i = 0; i < 1000 && refused == 0; ++i) {
    Fd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address.storage),
                  address.length) != 0)
      refused = errno;
  }
  EXPECT_EQ(refused, ECONNREFUSED);
}

INSTANTIATE_TEST_SUITE_P(Backends, DataPlaneTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
