// Dates, numbers and header lines as they are written.
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
