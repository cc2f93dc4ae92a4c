// What the load balancer answers itself: bytes as in reference §5.8.
#include "http/own_response.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "http/parser.hpp"

namespace weir::http {
namespace {

std::string written(const OwnResponse& response) {
  std::string out;
  append_own_response(out, response, "Mon, 24 Nov 2025 10:00:00 GMT");
  return out;
}

std::string body_of(const std::string& response) {
  return response.substr(response.find("\r\n\r\n") + 4);
}

TEST(ErrorResponse, ExactBytes) {
  EXPECT_EQ(written({.status = 503}),
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
    EXPECT_EQ(body_of(written({.status = status, .close = true})).size(), length) << status;
  }
}

TEST(ErrorResponse, CloseAndHead) {
  const std::string closing = written({.status = 400, .close = true, .with_body = false});
  EXPECT_NE(closing.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_NE(closing.find("\r\nContent-Length: 122\r\n"), std::string::npos);
  EXPECT_TRUE(closing.ends_with("\r\n\r\n"));
}

TEST(ErrorResponse, StatusWithoutPhrase) {
  EXPECT_TRUE(written({.status = 463, .close = true}).starts_with("HTTP/1.1 463 \r\n"));
}

TEST(ErrorResponse, OurOwnParserTakesThem) {
  for (const int status : {400, 405, 408, 414, 463, 501, 502, 503, 504, 505}) {
    const std::string bytes = written({.status = status});
    ResponseParser parser;
    ResponseHead head;
    ASSERT_EQ(parser.parse(bytes, Method::get, head), ParseState::done) << status;
    EXPECT_EQ(head.status, status);
    EXPECT_EQ(head.head_bytes + head.content_length, bytes.size());
    EXPECT_TRUE(head.keep_alive);
  }
}

TEST(RedirectResponse, LocationIsTheLastHeader) {
  const std::string bytes = written({.status = 301, .location = "https://a:443/x?y"});
  EXPECT_TRUE(bytes.starts_with("HTTP/1.1 301 Moved Permanently\r\nServer: awselb/2.0\r\n"));
  EXPECT_NE(bytes.find("\r\nConnection: keep-alive\r\nLocation: https://a:443/x?y\r\n\r\n<html>"),
            std::string::npos);
  EXPECT_EQ(body_of(bytes).size(), 134U);
}

TEST(FixedResponse, TypeAndBody) {
  EXPECT_EQ(fixed_content_type("text/plain"), "text/plain; charset=utf-8");
  EXPECT_EQ(fixed_content_type(""), "text/plain; charset=utf-8");
  EXPECT_EQ(fixed_content_type("application/json"), "application/json");
  const std::string answer = written({.status = 200, .content_type = "text/css", .body = "hello"});
  EXPECT_NE(answer.find("\r\nContent-Type: text/css\r\nContent-Length: 5\r\n"), std::string::npos);
  EXPECT_EQ(body_of(answer), "hello");
  EXPECT_EQ(body_of(written({.status = 200, .body = "<p>", .with_body = false})), "");
  EXPECT_NE(written({.status = 200, .body = ""}).find("\r\nContent-Length: 0\r\n"),
            std::string::npos);
}

TEST(OwnResponse, HeadersOfTheListenerAndNoServer) {
  const std::string bytes = written({.status = 302,
                                     .more_headers = "X-Frame-Options: DENY\r\n",
                                     .location = "http://a:80/",
                                     .has_server = false});
  EXPECT_TRUE(bytes.starts_with("HTTP/1.1 302 Found\r\nDate: "));
  EXPECT_NE(bytes.find("\r\nX-Frame-Options: DENY\r\nLocation: http://a:80/\r\n\r\n<html>"),
            std::string::npos);
}

TEST(OwnResponse, Http09GetsTheBodyAlone) {
  EXPECT_TRUE(written({.status = 503, .with_head = false}).starts_with("<html>"));
}

}  // namespace
}  // namespace weir::http
