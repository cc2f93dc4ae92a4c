// What the conformance messages cannot say: reuse, moving buffers, allocation, early answers, and
// hostile mutations.
#include "http/parser.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <random>

#include "message_cases.hpp"
#include "outcome.hpp"

namespace {
std::size_t allocations = 0;
}  // namespace

// Counts what the program allocates, for RequestParser.AllocatesNothingOnceWarm.
void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace weir::http {
namespace {

const std::string request =
    "POST /a?b=c HTTP/1.1\r\nHost: lb.example\r\nUser-Agent: x\r\nX-Forwarded-For: 1.2.3.4\r\n"
    "Connection: x-hop, keep-alive\r\nX-Hop: 1\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(RequestParser, AllocatesNothingOnceWarm) {
  RequestParser parser;
  RequestHead head;
  ChunkedDecoder decoder;
  const std::string_view body = "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n";
  std::size_t before = 0;
  for (int round = 0; round < 3; ++round) {
    if (round == 1) before = allocations;
    parser.restart();
    ASSERT_EQ(parser.parse(request, head), ParseState::done);
    decoder.restart();
    ASSERT_EQ(decoder.step(body).content, "abc");
    ASSERT_EQ(decoder.step(body.substr(6)).state, ParseState::done);
  }
  EXPECT_EQ(allocations, before);
}

TEST(RequestParser, BytesMayMoveBetweenCalls) {
  RequestParser parser;
  RequestHead head;
  for (std::size_t size = 1; size < request.size(); ++size) {
    const std::string part = request.substr(0, size);  // elsewhere each time
    ASSERT_EQ(parser.parse(part, head), ParseState::need_more) << size;
  }
  ASSERT_EQ(parser.parse(request, head), ParseState::done);
  EXPECT_EQ(head.target.data(), request.data() + 5);
  EXPECT_EQ(head.headers[0].value, "lb.example");
}

TEST(RequestParser, PipelinedRequestsOneAfterTheOther) {
  const std::string bytes = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.0\r\n\r\nGET /3";
  RequestParser parser;
  RequestHead head;
  std::string_view rest = bytes;
  ASSERT_EQ(parser.parse(rest, head), ParseState::done);
  EXPECT_EQ(head.path, "/1");
  EXPECT_TRUE(head.keep_alive);
  rest.remove_prefix(head.head_bytes);
  parser.restart();
  ASSERT_EQ(parser.parse(rest, head), ParseState::done);
  EXPECT_EQ(head.path, "/2");
  EXPECT_TRUE(head.headers.empty());
  EXPECT_TRUE(head.authority.empty());
  EXPECT_FALSE(head.keep_alive);
  rest.remove_prefix(head.head_bytes);
  parser.restart();
  EXPECT_EQ(parser.parse(rest, head), ParseState::need_more);
}

TEST(RequestParser, NothingOfAnOldRequestIsLeft) {
  RequestParser parser;
  RequestHead head;
  ASSERT_EQ(parser.parse("GET http://x/a#b?c HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
                         "Upgrade: websocket\r\nExpect: 100-continue\r\nX-Forwarded-For: a\r\n\r\n",
                         head),
            ParseState::done);
  EXPECT_TRUE(head.is_websocket_upgrade && head.expects_continue && head.is_absolute_form);
  parser.restart();
  ASSERT_EQ(parser.parse("GET / HTTP/1.1\r\nHost: b\r\n\r\n", head), ParseState::done);
  EXPECT_FALSE(head.is_websocket_upgrade || head.expects_continue || head.is_absolute_form);
  EXPECT_FALSE(head.has_query || head.target_needs_encoding);
  EXPECT_TRUE(head.query.empty());
  EXPECT_EQ(head.forwarded_for_addresses, 0U);
  EXPECT_EQ(head.desync_class, DesyncClass::compliant);
  EXPECT_EQ(head.desync_reason, DesyncReason::none);
  EXPECT_EQ(head.authority, "b");
}

TEST(RequestParser, ABadRequestLineIsAnsweredBeforeTheHeadEnds) {
  RequestHead head;
  for (const auto& [bytes, status] : {std::pair<std::string_view, int>{"\x16\x03\x01", 400},
                                      {"GET / HTTP/2.0\r\n", 505},
                                      {"CONNECT a:1 HTTP/1.1\r\n", 405},
                                      {"GET / HTTP/1.1\rX\n", 400}}) {
    RequestParser parser;
    EXPECT_EQ(parser.parse(bytes, head), ParseState::refused) << bytes;
    EXPECT_EQ(parser.status(), status) << bytes;
    EXPECT_FALSE(parser.detail().empty());
  }
}

TEST(RequestParser, FindsHeaders) {
  RequestParser parser;
  RequestHead head;
  ASSERT_EQ(parser.parse(request, head), ParseState::done);
  ASSERT_NE(head.find(HeaderId::x_forwarded_for), nullptr);
  EXPECT_EQ(head.find(HeaderId::x_forwarded_for)->value, "1.2.3.4");
  EXPECT_EQ(head.find(HeaderId::cookie), nullptr);
}

TEST(ResponseParser, InterimThenFinal) {
  const std::string bytes =
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  ResponseParser parser;
  ResponseHead head;
  ASSERT_EQ(parser.parse(bytes, Method::get, head), ParseState::done);
  EXPECT_EQ(head.status, 103);
  parser.restart();
  ASSERT_EQ(parser.parse(std::string_view(bytes).substr(head.head_bytes), Method::get, head),
            ParseState::done);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.size(), 1U);
}

TEST(ChunkedDecoder, RestartForgets) {
  ChunkedDecoder decoder;
  ASSERT_EQ(decoder.step("zz").state, ParseState::refused);
  EXPECT_FALSE(decoder.detail().empty());
  decoder.restart();
  ASSERT_EQ(decoder.step("0\r\nA: b\r\n\r\n").state, ParseState::done);
  EXPECT_EQ(decoder.trailers(), "A: b\r\n");
  decoder.restart();
  ASSERT_EQ(decoder.step("0\r\n\r\n").state, ParseState::done);
  EXPECT_EQ(decoder.trailers(), "");
}

TEST(ChunkedDecoder, NothingAfterTheEndIsTouched) {
  ChunkedDecoder decoder;
  const ChunkedDecoder::Step step = decoder.step("0\r\n\r\nGET /");
  EXPECT_EQ(step.state, ParseState::done);
  EXPECT_EQ(step.consumed, 5U);
  EXPECT_EQ(decoder.step("GET /").consumed, 0U);
}

// Conformance messages with bytes changed, removed, doubled and joined: in whatever pieces, the
// same answer, and (with a sanitizer) no read outside the piece.
TEST(Mutations, SameAnswerInAnyPieces) {
  const auto cases = test::load_message_cases(WEIR_SOURCE_DIR "/tests/conformance/messages");
  constexpr std::string_view spice("\r\n\r\n: \t\0,;#?%\x80/0aZ", 19);
  const unsigned seed = 9112;
  std::mt19937 random(seed);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int round = 0; round < 60'000; ++round) {
    const test::MessageCase& message = cases[below(cases.size())];
    if (message.bytes.size() > 1000) continue;
    std::string bytes = message.bytes;
    for (std::size_t changes = 1 + below(4); changes != 0 && !bytes.empty(); --changes) {
      const std::size_t at = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes[at] = spice[below(spice.size())];
          break;
        case 1:
          bytes.erase(at, 1 + below(3));
          break;
        case 2:
          bytes.insert(at, 1, spice[below(spice.size())]);
          break;
        default:
          bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(20)));
          break;
      }
    }
    test::Feed pieces;
    for (std::size_t at = 0; at < bytes.size();) {
      at = std::min(bytes.size(), at + 1 + below(bytes.size() / 3 + 1));
      pieces.push_back(at);
    }
    const auto facts = [&](const test::Feed& feed) {
      switch (message.kind) {
        case test::CaseKind::response:
          return test::response_facts(bytes, Method::get, feed);
        case test::CaseKind::chunked:
          return test::chunked_facts(bytes, feed);
        default:
          return test::request_facts(bytes, feed);
      }
    };
    ASSERT_EQ(test::joined(facts(test::feed_whole(bytes.size()))), test::joined(facts(pieces)))
        << "seed " << seed << " round " << round << " of " << message.where << ": "
        << test::escape(bytes);
  }
}

// A random body in random chunks, fed in random pieces, comes out again.
TEST(ChunkedDecoder, RoundTrip) {
  std::mt19937 random(71);
  for (int round = 0; round < 300; ++round) {
    std::string body, coded;
    for (std::size_t chunks = random() % 8; chunks != 0; --chunks) {
      const std::string part(1 + random() % 3000, static_cast<char>('a' + chunks));
      char size[20];
      std::snprintf(size, sizeof size, random() % 2 == 0 ? "%zx" : "%zX", part.size());
      coded.append(size)
          .append(random() % 3 == 0 ? ";x=1\r\n" : "\r\n")
          .append(part)
          .append("\r\n");
      body += part;
    }
    coded += "0\r\n\r\n";
    test::Feed pieces;
    for (std::size_t at = 0; at < coded.size();) {
      at = std::min<std::size_t>(coded.size(), at + 1 + random() % 1500);
      pieces.push_back(at);
    }
    const test::Facts facts = test::chunked_facts(coded, pieces);
    ASSERT_EQ(facts[0], "done") << round;
    ASSERT_EQ(facts[1], body.empty() ? "content" : "content " + body);
  }
}

}  // namespace
}  // namespace weir::http
