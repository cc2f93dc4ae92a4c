// What clients and targets see of each other's messages: versions, interim responses, trailers,
// tunnels, header changes (reference §2.2, §5.1–§5.8).
#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ResponsesTest : public DataPlaneTest {
 protected:
  void set_listener_attribute(const std::string& key, const std::string& value) {
    listeners_["listener"].attributes["routing.http.response." + key] = value;
  }
};

TEST_P(ResponsesTest, ListenerAttributesReplaceTheTargetsHeaders) {
  TestTarget target(
      always("HTTP/1.1 200 OK\r\nx-frame-options: ALLOW\r\nServer: app\r\n"
             "X-FRAME-OPTIONS: twice\r\nX-Frame-Optionsx: kept\r\n"
             "Content-Length: 2\r\n\r\nok"));
  set_listener_attribute("x_frame_options.header_value", "DENY");
  set_listener_attribute("strict_transport_security.header_value", "max-age=1");
  serve(target);
  const std::string answer = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nServer: app\r\nX-Frame-Optionsx: kept\r\n"
                                 "Strict-Transport-Security: max-age=1\r\n"
                                 "X-Frame-Options: DENY\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("ALLOW")));
  EXPECT_THAT(answer, Not(HasSubstr("twice")));
}

TEST_P(ResponsesTest, ListenerAttributesChangeOwnResponsesOfEveryStatus) {
  set_listener_attribute("content_security_policy.header_value", "default-src 'self'");
  set_listener_attribute("server.enabled", "false");
  apply();
  for (const char* request : {"GET / HTTP/1.1\r\nHost: a\r\n\r\n",  // 503: no target
                              "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "rubbish\r\n\r\n"}) {
    const std::string answer = ask(request);
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Security-Policy: default-src 'self'\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Server:"))) << request;
  }
}

TEST_P(ResponsesTest, Http09GetsBodiesAlone) {
  TestTarget target(always("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"));
  serve(target);
  EXPECT_EQ(ask("GET /\r\n"), "abc");
  targets_.clear();
  apply();
  EXPECT_THAT(ask("GET /\r\n"), StartsWith("<html>\r\n<head><title>503 "));
}

TEST_P(ResponsesTest, Http10MayKeepItsConnection) {
  std::string seen;
  TestTarget target([&](Connection& c) {
    for (;;) {
      const std::string head = c.read_head();
      if (head.empty()) return;
      seen = head;
      c.send(ok);
    }
  });
  serve(target);
  auto client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(client.read_response(), HasSubstr("\r\nConnection: keep-alive\r\n"));
  }
  EXPECT_THAT(seen, HasSubstr("\r\nHost: web-1.us-east-1.elb.localhost\r\n"));
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), HasSubstr("\r\nConnection: close\r\n"));
}

TEST_P(ResponsesTest, InterimResponsesPassToHttp11AndTheFinalOneFollows) {
  TestTarget target(
      always("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"
             "Connection: X-Gone\r\nX-Gone: 1\r\n\r\n" +
             ok));
  serve(target);
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_head(), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_P(ResponsesTest, EndlessInterimResponsesAre502) {
  TestTarget target([](Connection& c) {
    c.read_head();
    while (c.send("HTTP/1.1 102 Processing\r\n\r\n")) {
    }
  });
  serve(target);
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HasSubstr("HTTP/1.1 502 Bad Gateway\r\n"));
}

TEST_P(ResponsesTest, TrailersPassToHttp11AlongWithTheTrailerHeader) {
  TestTarget target(
      always("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
             "3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n"));
  serve(target);
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
  const std::string answer = client.read_until([](const std::string& s) {
    return s.ends_with("\r\n\r\n") && s.find("0\r\nX-Sum") != s.npos;
  });
  EXPECT_THAT(answer, HasSubstr("\r\nTrailer: X-Sum\r\n"));
  EXPECT_THAT(answer, EndsWith("3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n"));
}

TEST_P(ResponsesTest, PreservedHostIsThatOfTheAbsoluteForm) {
  std::string seen;
  TestTarget target([&](Connection& c) {
    seen = c.read_head();
    c.send(ok);
  });
  set_attribute("routing.http.preserve_host_header.enabled", "true");
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: Web.Example:8080\r\n\r\n");
  EXPECT_THAT(seen, HasSubstr("\r\nHost: Web.Example:8080\r\n"));
  ask("GET http://Real.Example:81/x HTTP/1.1\r\nHost: other\r\n\r\n");
  EXPECT_THAT(seen, StartsWith("GET /x HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nHost: Real.Example:81\r\n"));
  EXPECT_THAT(seen, Not(HasSubstr("other")));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_P(ResponsesTest, ForwardedForModes) {
  std::string seen;
  TestTarget target([&](Connection& c) {
    for (;;) {
      const std::string head = c.read_head();
      if (head.empty()) return;
      seen = head;
      c.send(ok);
    }
  });
  add_target(target.port());
  auto request = [&](const char* mode, const char* port, const char* field) {
    set_attribute("routing.http.xff_header_processing.mode", mode);
    set_attribute("routing.http.xff_client_port.enabled", port);
    apply();
    ask("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(field) + "\r\n");
    return seen;
  };
  const char* both = "X-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2\r\n";
  EXPECT_THAT(request("append", "false", ""), HasSubstr("\r\nX-Forwarded-For: 127.0.0.1\r\n"));
  EXPECT_THAT(request("append", "false", both),
              HasSubstr("\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 127.0.0.1\r\n"));
  EXPECT_THAT(request("append", "true", ""), HasSubstr("\r\nX-Forwarded-For: 127.0.0.1:"));
  EXPECT_THAT(request("append", "true", both),
              HasSubstr("\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 127.0.0.1:"));
  for (const char* port : {"false", "true"}) {
    EXPECT_THAT(request("preserve", port, both),
                HasSubstr("\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n"));
    EXPECT_THAT(request("preserve", port, ""), Not(HasSubstr("Forwarded-For")));
    EXPECT_THAT(request("remove", port, both), Not(HasSubstr("orwarded-For")));
  }
}

TEST_P(ResponsesTest, InvalidHeaderFieldsGoOnOrNotAsConfigured) {
  std::string seen;
  TestTarget target([&](Connection& c) {
    seen = c.read_head();
    c.send(ok);
  });
  serve(target);
  ask("GET / HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nX-Z: 2\r\n\r\n");
  EXPECT_THAT(seen, HasSubstr("\r\nX_Y: 1\r\n"));
  set_attribute("routing.http.drop_invalid_header_fields.enabled", "true");
  apply();
  ask("GET / HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nX-Z: 2\r\n\r\n");
  EXPECT_THAT(seen, Not(HasSubstr("X_Y")));
  EXPECT_THAT(seen, HasSubstr("\r\nX-Z: 2\r\n"));
}

TEST_P(ResponsesTest, HopByHopFieldsEndHere) {
  std::string seen;
  TestTarget target([&](Connection& c) {
    seen = c.read_head();
    c.send(
        "HTTP/1.1 200 OK\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n"
        "Proxy-Connection: x\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok");
  });
  serve(target);
  const std::string answer =
      ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Private\r\nX-Private: 1\r\n"
          "Keep-Alive: 300\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\n"
          "Expect: 100-continue\r\nAccept: */*\r\n\r\n");
  for (const char* name : {"Connection", "X-Private", "Keep-Alive", "TE:", "Upgrade", "Expect"})
    EXPECT_THAT(seen, Not(HasSubstr(name)));
  EXPECT_THAT(seen, EndsWith("\r\nAccept: */*\r\n\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  for (const char* name : {"X-Mine", "Keep-Alive", "Proxy-Connection", "Upgrade"})
    EXPECT_THAT(answer, Not(HasSubstr(name)));
}

const std::string upgrade =
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const std::string switched =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

TEST_P(ResponsesTest, ADeclinedUpgradeIsAnOrdinaryAnswer) {
  TestTarget target(always(ok));
  serve(target);
  auto client = connect();
  for (int i = 0; i < 2; ++i) {
    client.send(upgrade);
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 OK"));
  }
  EXPECT_EQ(target.connections(), 1);
}

TEST_P(ResponsesTest, TunnelsEndOneSideAtATime) {
  std::string after_end;
  TestTarget target([&](Connection& c) {
    c.read_head();
    c.send(switched + "bye");
    c.shutdown_send();
    after_end = c.read_to_end();
  });
  serve(target);
  {
    auto client = connect();
    client.send(upgrade);
    EXPECT_THAT(client.read_to_end(), EndsWith("\r\n\r\nbye"));
    client.send("still here");
    client.shutdown_send();
    // The end of both sides is the end of the connection.
    EXPECT_EQ(client.read_some(), "");
  }
  while (target.open() > 0) std::this_thread::yield();
  EXPECT_EQ(after_end, "still here");
}

TEST_P(ResponsesTest, AClientsHalfCloseReachesTheTargetOfATunnel) {
  TestTarget target([](Connection& c) {
    c.read_head();
    c.send(switched);
    c.send("got " + c.read_to_end());
  });
  serve(target);
  auto client = connect();
  client.send(upgrade);
  client.read_head();
  client.send("all");
  client.shutdown_send();
  EXPECT_EQ(client.read_to_end(), "got all");
}

TEST_P(ResponsesTest, AnIdleTunnelIsClosedAndActivityOfEitherSideCounts) {
  TestTarget target([](Connection& c) {
    c.read_head();
    c.send(switched);
    for (int i = 0; i < 3; ++i) {  // only the target sends, for longer than the timeout
      set_timeout_ms(c.fd(), 600);
      c.read_some();
      c.send("tick");
    }
    set_timeout(c.fd(), 10);
    c.read_to_end();
  });
  set_attribute("idle_timeout.timeout_seconds", "1");
  serve(target);
  auto client = connect();
  client.send(upgrade);
  EXPECT_THAT(client.read_to_end(), EndsWith("\r\n\r\ntickticktick"));
}

TEST_P(ResponsesTest, ConnectAndTraceAreNotAllowed) {
  apply();
  EXPECT_THAT(ask("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 405 Not Allowed"));
  EXPECT_THAT(ask("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"),
              StartsWith("HTTP/1.1 405 Not Allowed"));
}

TEST_P(ResponsesTest, StatusesOfWhatCannotBeServed) {
  TestTarget target(always(ok));
  serve(target);
  const std::string host = "Host: a\r\n";
  const std::pair<std::string, const char*> cases[] = {
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported"},
      {"GET / HTTP/2.0\r\n" + host + "\r\n", "505 HTTP Version Not Supported"},
      {"GET /" + std::string(17'000, 'a') + " HTTP/1.1\r\n" + host + "\r\n",
       "414 Request-URI Too Large"},
      {"GET / HTTP/1.1\r\n" + host + "A: " + std::string(17'000, 'a') + "\r\n\r\n",
       "400 Bad Request"},
      {"GET / HTTP/1.1\r\n" + host +
           [] {
             std::string fields;
             for (int i = 0; i < 70; ++i) fields += "A: " + std::string(1000, 'a') + "\r\n";
             return fields;
           }() +
           "\r\n",
       "400 Bad Request"},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", "501 Not Implemented"},
      {"GET / HTTP/1.1\r\n" + host + "X-Forwarded-For: 1.1.1.1" +
           [] {
             std::string more;
             for (int i = 0; i < 30; ++i) more += ", 1.1.1.1";
             return more;
           }() +
           "\r\n\r\n",
       "463 "},
  };
  for (const auto& [request, status] : cases) {
    const std::string answer = ask(request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::string(status))) << request.substr(0, 60);
    EXPECT_THAT(answer, HasSubstr("<center><h1>" + std::string(status).substr(0, 3)));
  }
  EXPECT_EQ(target.connections(), 0);
}

INSTANTIATE_TEST_SUITE_P(Backends, ResponsesTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
