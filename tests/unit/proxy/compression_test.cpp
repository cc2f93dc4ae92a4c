// weir.compression.* over the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string lines(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += "line " + std::to_string(i) + " of a page\n";
  return out;
}

// The content of a chunked body; what it holds before its end, where that has not come.
std::string without_chunks(std::string_view body) {
  std::string out;
  for (;;) {
    const auto end = body.find("\r\n");
    if (end == std::string_view::npos) return out;
    const std::size_t size = std::stoul(std::string(body.substr(0, end)), nullptr, 16);
    if (size == 0) return out;
    out += body.substr(end + 2, size);
    body.remove_prefix(std::min(end + 2 + size + 2, body.size()));
  }
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

std::string gunzipped(const std::string& bytes) {
  std::string out(4'000'000, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  inflate(&stream, Z_SYNC_FLUSH);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

class CompressionTest : public DataPlaneTest {
 protected:
  void SetUp() override {
    DataPlaneTest::SetUp();
    set_attribute("weir.compression.algorithms", "br,gzip,zstd");
  }
  static std::string page(const std::string& headers, const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string get(const std::string& accept, const std::string& method = "GET") {
    return method + " / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " + accept +
           "\r\nConnection: close\r\n\r\n";
  }
};

TEST_P(CompressionTest, ABodyIsCompressedAndTheHeadSaysSo) {
  const std::string body = lines(20'000);  // many blocks
  TestTarget target(always(page("ETag: \"v1\"\r\nAccept-Ranges: bytes\r\nVary: Origin\r\n", body)));
  serve(target);
  const std::string answer = ask(get("gzip"));
  const std::string head = answer.substr(0, answer.find("\r\n\r\n") + 4);
  EXPECT_THAT(head, HasSubstr("\r\nContent-Encoding: gzip\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nETag: W/\"v1\"\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nVary: Accept-Encoding\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nVary: Origin\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(head, Not(HasSubstr("Accept-Ranges")));
  EXPECT_THAT(head, Not(HasSubstr("\r\nETag: \"v1\"")));
  EXPECT_THAT(answer, EndsWith("\r\n0\r\n\r\n"));
  EXPECT_LT(answer.size(), body.size() / 4);
  EXPECT_EQ(gunzipped(without_chunks(body_of(answer))), body);
  EXPECT_THAT(ask(get("gzip, br")), HasSubstr("\r\nContent-Encoding: br\r\n"));
  EXPECT_THAT(ask(get("gzip;q=0.5, zstd")), HasSubstr("\r\nContent-Encoding: zstd\r\n"));
}

TEST_P(CompressionTest, OneConnectionCarriesOneAfterTheOther) {
  const std::string body = lines(100);
  TestTarget target(always(page("", body)));
  serve(target);
  auto client = connect();
  for (int i = 0; i < 20; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
    static_cast<void>(client.read_head());
    const std::string chunks =
        client.read_until([](const std::string& s) { return s.ends_with("\r\n0\r\n\r\n"); });
    ASSERT_EQ(gunzipped(without_chunks(chunks)), body);
  }
  EXPECT_EQ(target.connections(), 1);
}

TEST_P(CompressionTest, WhoDoesNotAskGetsItAsItIsButCachesAreTold) {
  const std::string body = lines(100);
  TestTarget target(always(page("ETag: \"v1\"\r\n", body)));
  serve(target);
  for (const std::string& request :
       {get("identity"), get("gzip;q=0"),
        std::string("GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")}) {
    const std::string answer = ask(request);
    EXPECT_THAT(answer, HasSubstr("\r\nETag: \"v1\"\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nVary: Accept-Encoding\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Content-Encoding")));
    EXPECT_EQ(body_of(answer), body);
  }
}

TEST_P(CompressionTest, WhatIsNotToBeCompressedIsLeftAlone) {
  const std::string body = lines(100);
  const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  const std::string text = "Content-Type: text/plain\r\n";
  // A target for each answer: one that has sent it may still look at it when the client has it.
  const auto answer_to = [&](const std::string& request, const std::string& response) {
    TestTarget target([&](Connection& c) {
      c.read_head();
      c.send(response);
    });
    targets_.clear();
    serve(target);
    return ask(request);
  };
  for (const std::string& each : {
           page("Content-Encoding: gzip\r\n", body),
           page("Cache-Control: public, No-Transform\r\n", body),
           page("", lines(10)),
           "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n" + length,
           "HTTP/1.1 200 OK\r\n" + length,
           "HTTP/1.1 206 Partial Content\r\n" + text + "Content-Range: bytes 0-9/20\r\n" + length,
       }) {
    const std::string answer = answer_to(get("gzip"), each);
    EXPECT_EQ(body_of(answer), body_of(each));
    EXPECT_THAT(answer, Not(HasSubstr("Vary"))) << each.substr(0, 100);
  }
  for (const std::string& bodyless : {"HTTP/1.1 304 Not Modified\r\n" + text + "\r\n",
                                      "HTTP/1.1 204 No Content\r\n" + text + "\r\n"}) {
    EXPECT_THAT(answer_to(get("gzip"), bodyless), Not(HasSubstr("Content-Encoding")));
  }
}

TEST_P(CompressionTest, AnAnswerToHeadVariesAsThatToGetDoes) {
  const auto answer_to_head = [&](const std::string& response) {
    TestTarget target([&](Connection& c) {
      c.read_head();
      c.send(response);
    });
    targets_.clear();
    serve(target);
    return ask(get("gzip", "HEAD"));
  };
  const std::string type = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
  for (const std::string& each :
       {type + "Content-Length: 2000\r\n\r\n", type + "Transfer-Encoding: chunked\r\n\r\n"}) {
    const std::string answer = answer_to_head(each);
    EXPECT_THAT(answer, HasSubstr("\r\nVary: Accept-Encoding\r\n")) << each;
    EXPECT_THAT(answer, Not(HasSubstr("Content-Encoding")));
    EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
  }
  EXPECT_THAT(answer_to_head(type + "Content-Length: 10\r\n\r\n"), Not(HasSubstr("Vary")));
  EXPECT_THAT(answer_to_head("HTTP/1.1 304 Not Modified\r\nContent-Type: text/html\r\n\r\n"),
              Not(HasSubstr("Vary")));
}

TEST_P(CompressionTest, LinesOfAcceptEncodingCountTogether) {
  const std::string body = lines(100);
  TestTarget target(always(page("", body)));
  serve(target);
  const auto head_to = [&](const std::string& lines) {
    return ask("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "Connection: close\r\n\r\n");
  };
  EXPECT_THAT(head_to("Accept-Encoding: identity\r\naccept-encoding: gzip\r\n"),
              HasSubstr("\r\nContent-Encoding: gzip\r\n"));
  EXPECT_THAT(head_to("Accept-Encoding: gzip;q=0.5\r\nAccept-Encoding: br;q=0.2, zstd\r\n"),
              HasSubstr("\r\nContent-Encoding: zstd\r\n"));
}

TEST_P(CompressionTest, AStreamOfEventsStaysOne) {
  TestTarget target([](Connection& c) {
    c.read_head();
    c.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
        "\r\n9\r\ndata: 1\n\n\r\n");
    static_cast<void>(c.read_some());  // nothing more until the client has gone
  });
  serve(target);
  auto client = connect();
  client.send(get("gzip"));
  static_cast<void>(client.read_head());
  std::string event;
  client.read_until([&](const std::string& chunks) {
    event = gunzipped(without_chunks(chunks));
    return !event.empty();
  });
  EXPECT_EQ(event, "data: 1\n\n");
}

TEST_P(CompressionTest, TrailersAndBodiesUntilTheEndPass) {
  TestTarget target([](Connection& c) {
    const bool chunked = c.read_head().starts_with("GET /chunked ");
    const std::string type = "Content-Type: text/plain\r\n";
    if (chunked) {
      c.send("HTTP/1.1 200 OK\r\n" + type +
             "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
    } else {
      c.send("HTTP/1.1 200 OK\r\n" + type + "\r\nabc");
    }
  });
  serve(target);
  const std::string headers =
      " HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n";
  const std::string chunked = ask("GET /chunked" + headers);
  EXPECT_THAT(chunked, EndsWith("\r\n0\r\nX-Sum: 1\r\n\r\n"));
  EXPECT_EQ(gunzipped(without_chunks(body_of(chunked))), "abc");
  const std::string until_end = ask("GET /end" + headers);
  EXPECT_THAT(until_end, EndsWith("\r\n0\r\n\r\n"));
  EXPECT_EQ(gunzipped(without_chunks(body_of(until_end))), "abc");
}

TEST_P(CompressionTest, OffChangesNothing) {
  set_attribute("weir.compression.algorithms", "off");
  const std::string body = lines(100);
  TestTarget target(always(page("", body)));
  serve(target);
  const std::string answer = ask(get("gzip"));
  EXPECT_EQ(body_of(answer), body);
  EXPECT_THAT(answer, Not(HasSubstr("Vary")));
}

INSTANTIATE_TEST_SUITE_P(Loops, CompressionTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
