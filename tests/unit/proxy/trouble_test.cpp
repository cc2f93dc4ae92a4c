// Targets and clients that misbehave: the status that the other side gets, and that nothing is held
// for those who do not take it (reference §5.6, §5.9).
#include <poll.h>

#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

void reset(Connection& connection) {
  const linger abort{1, 0};
  setsockopt(connection.fd(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
}

class TroubleTest : public DataPlaneTest {
 protected:
  // The answer to GET of a target that does this once its request has come.
  std::string answer_of(TestTarget::Handler handler) {
    TestTarget target([&](Connection& c) {
      if (!c.read_head().empty()) handler(c);
    });
    targets_.clear();
    serve(target);
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string answer = client.read_to_end();
    targets_.clear();
    apply();
    return answer;
  }
  std::string answer_to(const std::string& bytes) {
    return answer_of([bytes](Connection& c) { c.send(bytes); });
  }
};

TEST_P(TroubleTest, AnswersThatAreNoneAre502) {
  set_attribute("idle_timeout.timeout_seconds", "1");
  const std::string long_field = "A: " + std::string(1000, 'a') + "\r\n";
  std::string long_head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 40; ++i) long_head += long_field;
  for (const std::string& bytes :
       {std::string(), std::string("\x16\x03\x01\x02", 4), std::string("HTTP/1.1 200"),
        std::string("HTTP/2 200 OK\r\n\r\n"), std::string("HTTP/1.1 99 Low\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", 27), long_head + "\r\n", long_head,
        std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")}) {
    EXPECT_THAT(answer_to(bytes), StartsWith("HTTP/1.1 502 Bad Gateway\r\nServer: awselb/2.0\r\n"))
        << bytes.substr(0, 80);
  }
}

TEST_P(TroubleTest, AResetInsteadOfAnAnswerIs502) {
  EXPECT_THAT(answer_of([](Connection& c) { reset(c); }), StartsWith("HTTP/1.1 502 "));
}

TEST_P(TroubleTest, ARefusedConnectionIs502) {
  std::uint16_t closed = 0;
  {
    TestTarget target(always(ok));
    closed = target.port();
  }
  add_target(closed);
  apply();
  auto client = connect();
  client.send(get);
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
  client.send(get);  // and the client's connection lives on
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
}

TEST_P(TroubleTest, NoAnswerWithinTheIdleTimeoutIs504) {
  set_attribute("idle_timeout.timeout_seconds", "1");
  EXPECT_THAT(answer_of([](Connection& c) { c.read_to_end(); }), StartsWith("HTTP/1.1 504 "));
  EXPECT_THAT(answer_of([](Connection& c) {
                c.send("HTTP/1.1 200 OK\r\nContent-");
                c.read_to_end();
              }),
              StartsWith("HTTP/1.1 504 "));
}

TEST_P(TroubleTest, HalfABodyIsNeverTakenForAWhole) {
  set_attribute("idle_timeout.timeout_seconds", "1");
  // By the length: the client sees fewer bytes than announced, then the end.
  const std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
  EXPECT_THAT(answer_to(half), Not(HasSubstr("<html>")));
  EXPECT_THAT(answer_of([&](Connection& c) {
                c.send(half);
                c.read_to_end();  // until the load balancer has had enough
              }),
              Not(HasSubstr("<html>")));
  // By the last chunk, which must not come.
  for (const char* chunks :
       {"3\r\nabc\r\n", "3\r\nabcd\r\n", "-1\r\n", "zz\r\n", "3\r\nabc\r\n0\r\n"})
    EXPECT_THAT(
        answer_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks)),
        Not(HasSubstr("0\r\n\r\n")))
        << chunks;
}

TEST_P(TroubleTest, MoreThanWasAnnouncedIsNobodysAnswer) {
  TestTarget target([](Connection& c) {
    while (!c.read_head().empty())
      c.send(ok + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
  });
  serve(target);
  auto client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send(get);
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nok"));
  }
  EXPECT_EQ(target.connections(), 3);
}

TEST_P(TroubleTest, ATargetThatSaysCloseIsNotUsedAgain) {
  TestTarget target([](Connection& c) {
    c.read_head();
    c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    c.read_to_end();
  });
  serve(target);
  auto client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send(get);
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nok"));
  }
  EXPECT_EQ(target.connections(), 3);
}

TEST_P(TroubleTest, AClientThatLeavesTakesItsTargetConnectionAlong) {
  std::atomic<bool> ended = false;
  TestTarget target([&](Connection& c) {
    c.read_head();
    c.read_to_end();
    ended = true;
  });
  serve(target);
  {
    auto client = connect();
    client.send(get);
    while (target.connections() == 0) std::this_thread::yield();
    reset(client);
  }
  while (target.open() > 0) std::this_thread::yield();
  EXPECT_TRUE(ended);
}

TEST_P(TroubleTest, AClientThatEndsWithinItsBodyGets400) {
  TestTarget target([](Connection& c) { c.read_to_end(); });
  serve(target);
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf"),
              StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
              StartsWith("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_P(TroubleTest, AClientThatStopsWithinItsBodyGets408) {
  TestTarget target([](Connection& c) { c.read_to_end(); });
  set_attribute("idle_timeout.timeout_seconds", "1");
  serve(target);
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 408 Request Time-out\r\n"));
}

TEST_P(TroubleTest, ATargetThatReadsNoBodyIs504) {
  TestTarget target([](Connection& c) {
    c.read_head();
    pollfd end{c.fd(), POLLRDHUP, 0};
    ::poll(&end, 1, 10'000);
  });
  set_attribute("idle_timeout.timeout_seconds", "1");
  serve(target);
  // Made before: an idle connection has a second too.
  const std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n" +
                              std::string(40'000'000, 'x');
  auto client = connect();
  std::thread sender([&] { client.send(request); });
  EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 504 Gateway Time-out\r\n"));
  sender.join();
}

TEST_P(TroubleTest, MalformedChunksInARequestGet400AndEndTheTargetsConnection) {
  for (const char* body : {"x\r\n", "-1\r\n\r\n", "0x1\r\na\r\n", "+1\r\na\r\n", "1\na\r\n",
                           "1 \r\na\r\n", "1\r\nab\r\n", "11111111111111111\r\n",
                           "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nA: b\n\r\n"}) {
    std::string seen;
    {
      TestTarget target([&](Connection& c) { seen = c.read_to_end(); });
      targets_.clear();
      serve(target);
      auto client = connect();
      client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
                  std::string(body));
      EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 400 Bad Request\r\n")) << body;
    }
    EXPECT_THAT(seen, Not(EndsWith("0\r\n\r\n"))) << body;
  }
}

TEST_P(TroubleTest, AnIdleConnectionIsClosedInSilence) {
  set_attribute("idle_timeout.timeout_seconds", "1");
  TestTarget target(always(ok));
  serve(target);
  EXPECT_EQ(connect().read_to_end(), "");
  auto client = connect();
  client.send(get);
  client.read_response();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_P(TroubleTest, ASlowReaderIsNotIdle) {
  // Longer than the idle timeout, but with something taken within each: all of it comes.
  set_attribute("idle_timeout.timeout_seconds", "1");
  const std::string body(3'000'000, 'b');
  TestTarget target(always("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                           "\r\n\r\n" + body));
  serve(target);
  auto client = connect(65'536);
  client.send(get);
  client.read_head();
  std::size_t got = 0;
  while (got < 500'000) {  // at most 64 KiB in 400 ms
    const std::size_t part = client.read_exactly(30'000).size();
    if (part == 0) break;
    got += part;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(got + client.read_exactly(body.size() - got).size(), body.size());
}

TEST_P(TroubleTest, ASlowReaderOfALastAnswerGetsAllOfIt) {
  // `Connection: close`: the rest is flushed after the exchange has ended, longer than 5 s.
  const std::string body(700'000, 'b');
  TestTarget target(always("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                           "\r\n\r\n" + body));
  serve(target);
  auto client = connect(16'384);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  client.read_head();
  std::size_t got = 0;
  for (int i = 0; i < 13; ++i) {
    got += client.read_exactly(8'000).size();
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
  }
  EXPECT_EQ(got + client.read_exactly(body.size() - got).size(), body.size());
}

INSTANTIATE_TEST_SUITE_P(Backends, TroubleTest, testing::ValuesIn(backends()), backend_name);

// A worker that may hold little.
class MemoryTest : public DataPlaneTest {
 protected:
  void configure(DataPlaneOptions& options) override { options.limits.buffered_bytes = 2'000'000; }
};

TEST_P(MemoryTest, ManySlowReadersShareWhatTheWorkerMayHold) {
  std::atomic<std::size_t> sent = 0;
  TestTarget target([&](Connection& c) {
    const int small = 32'768;
    setsockopt(c.fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    c.read_head();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n");
    const std::string block(10'000, 'b');
    for (int i = 0; i < 500 && c.send(block); ++i) sent += block.size();
  });
  serve(target);
  std::vector<Connection> readers;
  for (int i = 0; i < 12; ++i) {
    readers.push_back(connect(8'192));
    readers.back().send(get);
  }
  for (Connection& reader : readers) {
    reader.read_head();
    EXPECT_EQ(reader.read_exactly(5'000'000).size(), 5'000'000U);
  }
  EXPECT_EQ(sent, 60'000'000U);
}

TEST_P(MemoryTest, AtTheLimitNewRequestsGet503AndServiceComesBack) {
  TestTarget target([](Connection& c) {
    for (;;) {
      const std::string head = c.read_head();
      if (head.empty()) return;
      if (head.starts_with("GET /small")) {
        c.send(ok);
        continue;
      }
      c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const std::string chunk = "1000\r\n" + std::string(4096, 'b') + "\r\n";
      while (c.send(chunk)) {
      }
    }
  });
  serve(target);
  // Readers that take nothing, until a request is turned away.
  std::vector<Connection> readers;
  std::string answer;
  for (int i = 0; i < 120; ++i) {
    readers.push_back(connect(4'096));
    readers.back().send(get);
  }
  for (int i = 0; i < 20'000 && !answer.starts_with("HTTP/1.1 503"); ++i)
    answer = ask("GET /small HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Temporarily Unavailable\r\n"));
  readers.clear();
  for (int i = 0; i < 10'000 && !answer.starts_with("HTTP/1.1 200"); ++i)
    answer = ask("GET /small HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
}

INSTANTIATE_TEST_SUITE_P(Backends, MemoryTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
