// What the load balancer writes itself: bytes as in reference §5.8.
#include "http/writer.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <utility>

#include "http/parser.hpp"

namespace weir::http {
namespace {

constexpr std::int64_t monday = 1763978400;  // Mon, 24 Nov 2025 10:00:00 GMT

TEST(HttpDate, KnownDates) {
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 §5.6.7
  EXPECT_EQ(http_date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(http_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(http_date(monday), "Mon, 24 Nov 2025 10:00:00 GMT");
}

TEST(HttpDate, AgreesWithTheLibrary) {
  for (std::int64_t seconds = 0; seconds < 4102444800; seconds += 40'000'007) {
    const std::time_t time = seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    EXPECT_EQ(http_date(seconds), text);
  }
}

TEST(DateCache, FollowsTheSecond) {
  DateCache cache;
  EXPECT_EQ(cache.at(-1), http_date(-1));
  EXPECT_EQ(cache.at(monday), http_date(monday));
  EXPECT_EQ(cache.at(monday), http_date(monday));
  EXPECT_EQ(cache.at(monday + 1), http_date(monday + 1));
}

std::string body_of(const std::string& response) {
  return response.substr(response.find("\r\n\r\n") + 4);
}

TEST(ErrorResponse, ExactBytes) {
  EXPECT_EQ(error_response(503, monday, false),
            "HTTP/1.1 503 Service Temporarily Unavailable\r\n"
            "Server: awselb/2.0\r\n"
            "Date: Mon, 24 Nov 2025 10:00:00 GMT\r\n"
            "Content-Type: text/html\r\n"
            "Content-Length: 162\r\n"
            "Connection: keep-alive\r\n"
            "\r\n"
            "<html>\r\n"
            "<head><title>503 Service Temporarily Unavailable</title></head>\r\n"
            "<body>\r\n"
            "<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n"
            "</body>\r\n"
            "</html>\r\n");
}

TEST(ErrorResponse, PageLengthsOfTheReference) {
  const std::pair<int, std::size_t> lengths[] = {
      {301, 134}, {302, 110}, {400, 122}, {401, 144}, {403, 118}, {405, 122}, {408, 132},
      {413, 148}, {414, 142}, {460, 98},  {463, 98},  {464, 98},  {500, 142}, {501, 130},
      {502, 122}, {503, 162}, {504, 132}, {505, 152}, {561, 98}};
  for (const auto& [status, length] : lengths) {
    EXPECT_EQ(body_of(error_response(status, monday, true)).size(), length) << status;
  }
}

TEST(ErrorResponse, CloseAndHead) {
  const std::string closing = error_response(400, monday, true, false);
  EXPECT_NE(closing.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_NE(closing.find("\r\nContent-Length: 122\r\n"), std::string::npos);
  EXPECT_TRUE(closing.ends_with("\r\n\r\n"));
}

TEST(ErrorResponse, StatusWithoutPhrase) {
  EXPECT_TRUE(error_response(463, monday, true).starts_with("HTTP/1.1 463 \r\n"));
}

TEST(ErrorResponse, OurOwnParserTakesThem) {
  for (const int status : {400, 405, 408, 414, 463, 501, 502, 503, 504, 505}) {
    const std::string bytes = error_response(status, monday, false);
    ResponseParser parser;
    ResponseHead head;
    ASSERT_EQ(parser.parse(bytes, Method::get, head), ParseState::done) << status;
    EXPECT_EQ(head.status, status);
    EXPECT_EQ(head.head_bytes + head.content_length, bytes.size());
    EXPECT_TRUE(head.keep_alive);
  }
}

TEST(RedirectResponse, LocationIsTheLastHeader) {
  const std::string bytes = redirect_response(301, "https://a:443/x?y", monday, false);
  EXPECT_TRUE(bytes.starts_with("HTTP/1.1 301 Moved Permanently\r\nServer: awselb/2.0\r\n"));
  EXPECT_NE(bytes.find("\r\nConnection: keep-alive\r\nLocation: https://a:443/x?y\r\n\r\n<html>"),
            std::string::npos);
  EXPECT_EQ(body_of(bytes).size(), 134U);
}

TEST(FixedResponse, TypeAndBody) {
  const std::string plain = fixed_response(200, "text/plain", "hello", monday, false);
  EXPECT_NE(plain.find("\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n"),
            std::string::npos);
  EXPECT_EQ(body_of(plain), "hello");
  EXPECT_NE(fixed_response(404, "", "", monday, false).find("text/plain; charset=utf-8"),
            std::string::npos);
  EXPECT_NE(fixed_response(404, "application/json", "{}", monday, true)
                .find("\r\nContent-Type: application/json\r\n"),
            std::string::npos);
  EXPECT_EQ(body_of(fixed_response(200, "text/html", "<p>", monday, false, false)), "");
}

TEST(AppendDecimal, Extremes) {
  std::string out;
  append_decimal(out, 0);
  out += ' ';
  append_decimal(out, 18446744073709551615U);
  EXPECT_EQ(out, "0 18446744073709551615");
}

TEST(ChunkSizeLine, Extremes) {
  std::array<char, chunk_size_line_bytes_max> buffer;
  EXPECT_EQ(chunk_size_line(0, buffer), "0\r\n");
  EXPECT_EQ(chunk_size_line(0x1a3f, buffer), "1a3f\r\n");
  EXPECT_EQ(chunk_size_line(~std::uint64_t{0}, buffer), "ffffffffffffffff\r\n");
}

TEST(AppendTarget, EncodesWhatSplitsALine) {
  std::string out;
  append_target(out, std::string_view("/a b\t\x01\x7f#\0?c=%20\xc3\xa9", 17));
  EXPECT_EQ(out, "/a%20b%09%01%7F%23%00?c=%20\xc3\xa9");
}

RequestHead parsed(std::string_view bytes) {
  RequestParser parser;
  RequestHead head;
  EXPECT_EQ(parser.parse(bytes, head), ParseState::done) << parser.detail();
  return head;
}

std::string appended(const RequestHead& head) {
  std::string out;
  append_headers(out, std::span<const Header>(head.headers), is_end_to_end);
  return out;
}

TEST(AppendHeaders, KeepsOrderAndCase) {
  const std::string bytes =
      "GET / HTTP/1.1\r\nhOST: a\r\nConnection: close\r\nX-b: c\r\nTE: trailers\r\nD: \r\n\r\n";
  EXPECT_EQ(appended(parsed(bytes)), "hOST: a\r\nX-b: c\r\nD: \r\n");
}

TEST(AppendHeaders, OddSpacingIsWrittenAnew) {
  const std::string bytes =
      "GET / HTTP/1.1\r\nHost:a\r\nB:\tb\r\nC: c \r\nD:   d\r\nE: e\nF: \r\nG:\r\nH: h \n\r\n";
  EXPECT_EQ(appended(parsed(bytes)),
            "Host: a\r\nB: b\r\nC: c\r\nD: d\r\nE: e\r\nF: \r\nG: \r\nH: h\r\n");
}

TEST(AppendHeaders, NeighboursGoInOneCopy) {
  struct Counter {
    int copies = 0;
    std::string out;
    void append(std::string_view bytes) {
      ++copies;
      out += bytes;
    }
  } counter;
  const std::string bytes =
      "GET / HTTP/1.1\r\nHost: a\r\nB: b\r\nConnection: x\r\nC: c\r\nD: d\r\n\r\n";
  const RequestHead head = parsed(bytes);
  append_headers(counter, std::span<const Header>(head.headers), is_end_to_end);
  EXPECT_EQ(counter.out, "Host: a\r\nB: b\r\nC: c\r\nD: d\r\n");
  EXPECT_EQ(counter.copies, 2);
}

TEST(AppendHeaders, WhatIsNotForwardableStaysBehind) {
  const std::string bytes =
      "GET / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\nConnection: b\r\nB: b\r\n"
      "rubbish in words\r\n folded\r\n\r\n";
  EXPECT_EQ(appended(parsed(bytes)), "Host: a\r\nfolded: \r\n");
}

}  // namespace
}  // namespace weir::http
